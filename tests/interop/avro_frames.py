#!/usr/bin/python3
"""Values in Confluent's wire format, each with its length in front, by python3-avro.

usage: avro_frames.py read SCHEMA_FILE          prints each value of standard input as JSON
       avro_frames.py write SCHEMA_FILE ID      writes each line of JSON of standard input as a value
"""
import io
import json
import struct
import sys

import avro.io
import avro.schema


def read(schema):
    while header := sys.stdin.buffer.read(4):
        value = sys.stdin.buffer.read(struct.unpack(">i", header)[0])
        assert value[0] == 0, value
        body = io.BytesIO(value[5:])
        print(json.dumps(avro.io.DatumReader(schema).read(avro.io.BinaryDecoder(body))))
        assert not body.read(), value


def write(schema, schema_id):
    for line in sys.stdin:
        body = io.BytesIO()
        avro.io.DatumWriter(schema).write(json.loads(line), avro.io.BinaryEncoder(body))
        value = struct.pack(">bi", 0, schema_id) + body.getvalue()
        sys.stdout.buffer.write(struct.pack(">i", len(value)) + value)


if __name__ == "__main__":
    with open(sys.argv[2], encoding="utf-8") as file:
        parsed = avro.schema.parse(file.read())
    read(parsed) if sys.argv[1] == "read" else write(parsed, int(sys.argv[3]))
