"""Reads the XML of Doxygen and names every public function that says nothing.

A function says what it does by a comment above it, above its paragraph, or behind it. What needs no words: reading a member (no
parameter, const), construction, which the class is about, copying, comparison, an element by its index, and a list where the
documented function takes a span.

    reference.py XML_DIRECTORY
"""
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree


def text_of(element, *tags):
    return "".join("".join(part.itertext()) for tag in tags for part in element.findall(tag)).strip()


def says_nothing(member):
    return not text_of(member, "briefdescription", "detaileddescription")


def needs_no_words(member, owner):
    name = member.findtext("name")
    parameters = [text_of(parameter, "type") for parameter in member.findall("param")]
    is_read = not parameters and member.get("const") == "yes"
    is_made = name in (owner, "operator=")
    is_list = any("initializer_list" in kind for kind in parameters)
    return is_read or is_made or is_list or name.startswith("~") or re.match(r"operator(==|<=>|!=|\[\]|\(\))", name)


def silent_functions(directory):
    for file in sorted(pathlib.Path(directory).glob("*.xml")):
        compound = ElementTree.parse(file).getroot().find("compounddef")
        if compound is None or compound.get("kind") not in ("namespace", "class", "struct", "file"):
            continue
        owner = (compound.findtext("compoundname") or "").split("::")[-1]
        for member in compound.iter("memberdef"):
            if member.get("kind") != "function" or member.get("prot") != "public":
                continue
            if says_nothing(member) and not needs_no_words(member, owner):
                place = member.find("location")
                yield f"{place.get('file')}:{place.get('line')}: {member.findtext('definition')}{member.findtext('argsstring')}"


silent = sorted(set(silent_functions(sys.argv[1])))
print("\n".join(silent))
sys.exit(f"{len(silent)} public functions say nothing" if silent else 0)
