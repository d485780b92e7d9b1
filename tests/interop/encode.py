#!/usr/bin/python3
"""Writes a segment as python3-kafka encodes and compresses it. Standard input is what `pg-consume --json` prints.

encode.py [--batch N] CODEC >00000000000000000000.log

CODEC is gzip, snappy, lz4, zstd, or one of these made different behind python3-kafka's back, with a checksum that fits:
raw-snappy has no frame, cut-CODEC lacks its last bytes, bomb-CODEC is 300 MB of zeros.
"""

import argparse
import base64
import json
import struct
import sys

try:
    from kafka import codec as codecs
    from kafka.record.default_records import DefaultRecordBatchBuilder
    from kafka.record.util import calc_crc32c
except ImportError as error:
    sys.exit(f"encode.py: {error}: run it with /usr/bin/python3 and Debian's python3-kafka")

NUMBERS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
HEADER_BYTES = 61


def bytes_of(json_value):
    if json_value is None:
        return None
    return base64.b64decode(json_value["base64"]) if isinstance(json_value, dict) else json_value.encode("utf-8")


def build(records, number):
    builder = DefaultRecordBatchBuilder(2, number, False, -1, -1, -1, 1 << 30)
    for offset, record in enumerate(records):
        headers = [(name, bytes_of(value)) for name, value in record["headers"]]
        builder.append(offset, record["timestamp"], bytes_of(record["key"]), bytes_of(record["value"]), headers)
    return builder.build()


def altered(records, how, name):
    """A batch with other bytes behind its header."""
    batch = build(records, 0)
    if how == "raw":
        packed = codecs.snappy_encode(bytes(batch[HEADER_BYTES:]), xerial_compatible=False)
    elif how == "cut":
        packed = getattr(codecs, name + "_encode")(bytes(batch[HEADER_BYTES:]))[:-3]
    else:
        packed = getattr(codecs, name + "_encode")(bytes(3_000_000)) * 100  # frames, one behind the other
    batch[HEADER_BYTES:] = packed
    struct.pack_into(">i", batch, 8, len(batch) - 12)
    struct.pack_into(">h", batch, 21, NUMBERS[name])
    struct.pack_into(">I", batch, 17, calc_crc32c(batch[21:]))
    return batch


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=100, metavar="N")
    parser.add_argument("codec")
    arguments = parser.parse_args()

    how, _, name = arguments.codec.rpartition("-")
    records = [json.loads(line) for line in sys.stdin]
    for at in range(0, len(records), arguments.batch):
        some = records[at : at + arguments.batch]
        batch = altered(some, how, name) if how else build(some, NUMBERS[name])
        struct.pack_into(">q", batch, 0, at)  # the base offset, which lies outside of the checksum
        sys.stdout.buffer.write(batch)


if __name__ == "__main__":
    main()
