"""Says to Doxygen what the comments of this tree mean, line by line.

A comment stands above what it describes and holds for all that follows without an empty line; one behind a declaration is of
that declaration; the first of a file is the file's; what is indented in it is code.
"""
import re
import sys

COMMENT = re.compile(r"(\s*)//(.*)")
HEADING = re.compile(r"\s*// ---")
BEHIND = re.compile(r"(?!\s*})(.*?\S)(\s+)//( .*)")


def escaped(text):
    """`text` so that nothing in it is a command; what stands in backticks is left alone."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # one of them has no end
        parts = [text]
    return "`".join(part if i % 2 else re.sub(r"([\\@<>#&%])", r"\\\1", part) for i, part in enumerate(parts))


def documented(lines):
    """The lines of a comment, without slashes, as Doxygen wants them."""
    result = []
    in_code = False
    for text in lines:
        is_code = text.startswith("   ") and not re.match(r" +[*-] ", text) or in_code and not text.strip()
        if is_code and not in_code:
            text = " @code{.cpp}" + text
        elif in_code and not is_code:
            result[-1] += " @endcode"
        in_code = is_code
        result.append(text if is_code else escaped(text))
    if in_code:
        result[-1] += " @endcode"
    return result


def code_of(line):
    return re.sub(r"\s*//.*", "", line).rstrip()


def begins_declaration(line, indent, before):
    """Whether a declaration, as far in as its comment, begins on this line behind the line `before`."""
    is_inside = line.startswith(indent) and re.match(r"[A-Za-z~\[]", line[len(indent) :])
    return is_inside and not re.match(r"\s*(public|private|protected):", line) and re.search(r"[;}]$", code_of(before))


class Filter:
    def __init__(self):
        self.is_in_file = True  # the first comment is the file's
        self.comment = []  # of the paragraph
        self.indent = ""
        self.before = ""

    def paragraph(self, lines, indent):
        """A whole comment."""
        texts = documented(lines)
        if self.is_in_file:
            print("/// \\file")  # in place of #pragma once, so that lines keep their numbers
        print("\n".join(indent + "///" + text for text in texts))
        self.comment = [] if self.is_in_file else texts
        self.is_in_file = False
        self.indent = indent
        self.before = ""

    def code(self, line):
        if not line.strip():
            self.comment = []
        text = line
        if behind := BEHIND.match(line):
            comment = escaped(behind[3])
            opens = behind[1].endswith("{")  # what follows is within
            text = f"/**{comment} */ {behind[1]}" if opens else f"{behind[1]}{behind[2]}///<{comment}"
        if self.comment and begins_declaration(line, self.indent, self.before):
            text = "/**" + "".join(self.comment) + " */ " + text
        self.before = line
        if line != "#pragma once":
            print(text)


def main(path):
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    filter = Filter()
    i = 0
    while i < len(lines):
        end = i
        while end < len(lines) and COMMENT.match(lines[end]) and not HEADING.match(lines[end]):
            end += 1
        if end > i:
            filter.paragraph([COMMENT.match(line)[2] for line in lines[i:end]], COMMENT.match(lines[i])[1])
            i = end
        else:
            filter.code("" if HEADING.match(lines[i]) else lines[i])
            i += 1


main(sys.argv[1])
