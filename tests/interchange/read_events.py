"""What is in event files, as JSON: read_events.py FILE...

Reads records, checksums, messages and pictures by itself, by the published description of each: nothing of weft, no
library of protocol buffers.
"""
import json
import re
import struct
import sys
import zlib

# ---- Records ---------------------------------------------------------------------------------------------------------

CRC32C = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    CRC32C.append(byte)


def masked_checksum(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC32C[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    at = 0
    while at < len(data):
        assert at + 12 <= len(data), f"a record is cut at byte {at}"
        length, checksum = struct.unpack_from("<QI", data, at)
        assert checksum == masked_checksum(data[at : at + 8]), f"checksum of a length, at byte {at}"
        body = data[at + 12 : at + 12 + length]
        assert at + 16 + length <= len(data), f"a record is cut at byte {at}"
        assert struct.unpack_from("<I", data, at + 12 + length)[0] == masked_checksum(body), f"checksum at byte {at}"
        yield body
        at += 16 + length


# ---- Messages: field number → name and kind ("*": repeated) ----------------------------------------------------------

MESSAGES = {
    "Event": {
        1: ("wall_time", "double"),
        2: ("step", "int64"),
        3: ("file_version", "string"),
        4: ("graph_def", "GraphDef"),
        5: ("summary", "Summary"),
        7: ("session_log", "SessionLog"),
        8: ("tagged_run_metadata", "TaggedRunMetadata"),
    },
    "SessionLog": {1: ("status", "int64")},
    "TaggedRunMetadata": {1: ("tag", "string"), 2: ("run_metadata", "RunMetadata")},
    "Summary": {1: ("value", "*Value")},
    "Value": {1: ("tag", "string"), 2: ("simple_value", "float"), 4: ("image", "Image"), 5: ("histo", "HistogramProto")},
    "Image": {1: ("height", "int64"), 2: ("width", "int64"), 3: ("colorspace", "int64"), 4: ("encoded_image_string", "bytes")},
    "HistogramProto": {
        1: ("min", "double"),
        2: ("max", "double"),
        3: ("num", "double"),
        4: ("sum", "double"),
        5: ("sum_squares", "double"),
        6: ("bucket_limit", "*double"),
        7: ("bucket", "*double"),
    },
    "GraphDef": {1: ("node", "*NodeDef"), 4: ("versions", "VersionDef")},
    "VersionDef": {1: ("producer", "int64")},
    "NodeDef": {1: ("name", "string"), 2: ("op", "string"), 3: ("input", "*string"), 4: ("device", "string"), 5: ("attr", "*Attr")},
    "Attr": {1: ("key", "string"), 2: ("value", "AttrValue")},
    "AttrValue": {
        1: ("list", "ListValue"),
        2: ("s", "bytes"),
        3: ("i", "int64"),
        4: ("f", "float"),
        5: ("b", "int64"),
        6: ("type", "int64"),
        7: ("shape", "TensorShapeProto"),
    },
    "ListValue": {3: ("i", "*int64"), 7: ("shape", "*TensorShapeProto")},
    "TensorShapeProto": {2: ("dim", "*Dim")},
    "Dim": {1: ("size", "int64"), 2: ("name", "string")},
    "RunMetadata": {1: ("step_stats", "StepStats")},
    "StepStats": {1: ("dev_stats", "*DeviceStepStats")},
    "DeviceStepStats": {1: ("device", "string"), 2: ("node_stats", "*NodeExecStats")},
    "NodeExecStats": {
        1: ("node_name", "string"),
        2: ("all_start_micros", "int64"),
        3: ("op_start_rel_micros", "int64"),
        4: ("op_end_rel_micros", "int64"),
        5: ("all_end_rel_micros", "int64"),
        6: ("memory", "*AllocatorMemoryUsed"),
        8: ("timeline_label", "string"),
        10: ("thread_id", "int64"),
        13: ("all_start_nanos", "int64"),
        15: ("op_end_rel_nanos", "int64"),
        16: ("all_end_rel_nanos", "int64"),
    },
    "AllocatorMemoryUsed": {1: ("allocator_name", "string"), 2: ("total_bytes", "int64")},
}
FIXED = {"double": ("<d", 1), "float": ("<f", 5)}  # format, wire type


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def scalars(kind, wire, data):
    """The values in the bytes of a field: one, or a packed row of them."""
    if kind in FIXED:
        size = struct.calcsize(FIXED[kind][0])
        assert wire in (2, FIXED[kind][1]) and len(data) % size == 0
        return [struct.unpack_from(FIXED[kind][0], data, at)[0] for at in range(0, len(data), size)]
    if kind == "int64":
        values, at = [], 0
        while at < len(data):
            value, at = varint(data, at)
            values.append(value - 2**64 if value >> 63 else value)
        return values
    assert wire == 2, (kind, wire)
    if kind == "string":
        return [data.decode()]
    return [data if kind == "bytes" else message(kind, data)]


def message(kind, data):
    result, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        name, field = MESSAGES[kind][key >> 3]  # a number that is not published is an error
        wire, begin = key & 7, at
        if wire == 0:
            _, at = varint(data, at)
        elif wire == 2:
            length, begin = varint(data, at)
            at = begin + length
        else:
            at += {1: 8, 5: 4}[wire]
        assert at <= len(data), (kind, name)
        values = scalars(field.lstrip("*"), wire, data[begin:at])
        if field[0] == "*":
            result.setdefault(name, []).extend(values)
        else:
            (result[name],) = values
    return result


# ---- What TensorBoard asks of the content ----------------------------------------------------------------------------

NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_>./\\-]*")


def picture(data):
    """Height, width, channels and the sum of the bytes of a PNG, having checked all of it."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, pixels = 8, b""
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(kind + body)
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack_from(">IIBB", body)
        if kind == b"IDAT":
            pixels += body
        at += 12 + length
    channels = {0: 1, 2: 3}[colour]
    assert kind == b"IEND" and depth == 8
    pixels = zlib.decompress(pixels)
    assert len(pixels) == height * (width * channels + 1)
    return {"height": height, "width": width, "channels": channels}


def check_graph(graph):
    names = [node["name"] for node in graph["node"]]
    assert len(set(names)) == len(names)
    for node in graph["node"]:
        assert NAME.fullmatch(node["name"]), node["name"]
        for source in node.get("input", []):
            assert source.removeprefix("^") in names, source
        node["attr"] = {each["key"]: each.get("value", {}) for each in node.get("attr", [])}


def event(body):
    result = message("Event", body)
    for value in result.get("summary", {}).get("value", []):
        if "image" in value:
            value["image"]["picture"] = picture(value["image"].pop("encoded_image_string"))
    if "graph_def" in result:
        check_graph(result["graph_def"])
    return result


def main():
    files = {}
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            files[path] = [event(body) for body in records(file.read())]
    print(json.dumps(files, default=lambda data: data.decode("latin-1")))


if __name__ == "__main__":
    main()
