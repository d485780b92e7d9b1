#!/usr/bin/python3
"""Reads Kafka log directories with python3-kafka, an implementation of the format that shares nothing with ours.

decode.py DIR...                     prints each record of the partition directories (TOPIC-N) as one JSON line
decode.py --against FILE DIR...      compares the records with FILE, the output of `pg-consume --json`, instead
decode.py --stats DIR...             prints how many segments, batches, records and index entries there are instead
decode.py --producers DIR...         prints producer id, epoch, base sequence and count of each batch instead
decode.py --compacted ...            batches may lack records

In all three the files are checked: every checksum, that offsets go on without a gap, that each entry of an index says the
truth, and the two text files. The first disagreement ends it with exit 1, naming file and position.
"""

import argparse
import base64
import collections
import json
import os
import re
import struct
import sys

try:
    import crc32c  # noqa: F401  without it python3-kafka computes checksums in Python, some hundred times slower
    from kafka.errors import KafkaError
    from kafka.record.memory_records import MemoryRecords
except ImportError as error:
    sys.exit(f"decode.py: {error}: run it with /usr/bin/python3 and Debian's python3-kafka and python3-crc32c")

Batch = collections.namedtuple("Batch", "position base last epoch producer records")
Record = collections.namedtuple("Record", "offset timestamp append_time key value headers")

# Where python3-kafka gives no access: a batch begins with its base offset, its length without these two, and its leader epoch.
LENGTH_POSITION, BEFORE_LENGTH_COUNTS = 8, 12


class Disagreement(Exception):
    pass


def fail(path, position, reason):
    raise Disagreement(f"{path}:{position}: {reason}")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def decode_segment(path, compacted):
    """All batches of a .log file. Checks what can be known from this file alone."""
    data = read(path)
    memory = MemoryRecords(data)
    batches, position = [], 0
    while memory.has_next():
        try:
            batch = memory.next_batch()
            base, last = batch.base_offset, batch.base_offset + batch.last_offset_delta
            if batch.magic != 2:
                fail(path, position, f"offset {base}: magic {batch.magic}")
            if not batch.validate_crc():
                fail(path, position, f"offset {base}: checksum does not match")
            append_time = batch.timestamp_type == 1
            records = [Record(r.offset, r.timestamp, append_time, r.key, r.value, r.headers) for r in batch]
        except (KafkaError, struct.error) as error:
            fail(path, position, error)
        greatest = batch.max_timestamp
        producer = batch._header_data[9:12]  # id, epoch, base sequence: decoded, and shown nowhere
        offsets = [r.offset for r in records]
        (length, epoch) = struct.unpack_from(">ii", data, position + LENGTH_POSITION)
        if not compacted and offsets != list(range(base, last + 1)):
            fail(path, position, f"offset {base}: records do not number {base} to {last}")
        if offsets != sorted(set(offsets)) or not set(offsets) <= set(range(base, last + 1)):
            fail(path, position, f"offset {base}: records are not in order between {base} and {last}")
        if records and max(r.timestamp for r in records) != greatest:
            fail(path, position, f"offset {base}: max timestamp is {greatest}, of the records {max(r.timestamp for r in records)}")
        batches.append(Batch(position, base, last, epoch, producer, records))
        position += BEFORE_LENGTH_COUNTS + length
    if position != len(data):
        fail(path, position, f"{len(data) - position} bytes after the last batch")
    return batches


def entries_of(path, layout):
    data, size = read(path), struct.calcsize(layout)
    if len(data) % size:
        fail(path, len(data), f"size is no multiple of {size}")
    return list(enumerate(struct.iter_unpack(layout, data)))


def check_index(path, base_offset, batches):
    """Each entry is the last offset of a batch and the position where that batch begins."""
    at = {batch.position: batch for batch in batches}
    previous = -1
    entries = entries_of(path, ">ii")
    for number, (relative, position) in entries:
        batch = at.get(position)
        if batch is None:
            fail(path, number * 8, f"no batch begins at {position}")
        if batch.last != base_offset + relative:
            fail(path, number * 8, f"offset {base_offset + relative}, but the batch at {position} ends with {batch.last}")
        if relative <= previous:
            fail(path, number * 8, f"relative offset {relative} after {previous}")
        previous = relative
    return len(entries)


def check_timeindex(path, base_offset, batches, sealed):
    """Each entry is a timestamp and an offset up to which no record has a greater one, and some record has it."""
    greatest, so_far = {}, -1
    for batch in batches:
        for record in batch.records:
            so_far = max(so_far, record.timestamp)
            greatest[record.offset] = so_far
        greatest[batch.last] = so_far
    entries = entries_of(path, ">qi")
    previous = (-1, -1)
    for number, (timestamp, relative) in entries:
        offset = base_offset + relative
        if offset not in greatest:
            fail(path, number * 12, f"offset {offset} is not in this segment")
        if timestamp != greatest[offset]:
            fail(path, number * 12, f"timestamp {timestamp}, but the greatest up to offset {offset} is {greatest[offset]}")
        if timestamp < previous[0] or relative <= previous[1]:
            fail(path, number * 12, f"entry {timestamp}, {relative} after {previous[0]}, {previous[1]}")
        previous = (timestamp, relative)
    # The closing entry, which Kafka writes at the roll and its search by time counts on
    if sealed and previous[0] != so_far:
        fail(path, len(entries) * 12, f"the last entry says {previous[0]}, the greatest timestamp is {so_far}")
    return len(entries)


def check_epochs(path, batches):
    """Kafka's text: version 0, number of entries, then "epoch start-offset" per line; it agrees with the batches' own epochs."""
    text = read(path).decode("latin-1")
    match = re.fullmatch(r"0\n(\d+)\n((?:\d+ \d+\n)*)", text)
    if not match:
        fail(path, 0, f"not an epoch checkpoint: {text!r}")
    epochs = [tuple(map(int, line.split())) for line in match[2].splitlines()]
    if len(epochs) != int(match[1]):
        fail(path, 2, f"{match[1]} entries announced, {len(epochs)} there")
    for before, after in zip(epochs, epochs[1:]):
        if after[0] <= before[0] or after[1] <= before[1]:
            fail(path, match.start(2), f"{after} after {before}")
    for batch in batches:
        expected = [epoch for epoch, start in epochs if start <= batch.base]
        if not expected or expected[-1] != batch.epoch:
            fail(path, 0, f"the batch at offset {batch.base} has epoch {batch.epoch}, this file says {expected[-1:]}")


def check_partition_metadata(path):
    """Kafka's text: the topic id is 16 bytes in URL-safe base64 without padding."""
    text = read(path).decode("latin-1")
    match = re.fullmatch(r"version: 0\ntopic_id: ([A-Za-z0-9_-]{22})\n?", text)
    if not match:
        fail(path, 0, f"not a partition.metadata file: {text!r}")
    if base64.urlsafe_b64decode(match[1] + "==") == bytes(16):
        fail(path, match.start(1), "the topic id is zero")


def decode_partition(directory, stats, producers, compacted):
    """All records of a partition directory, after every check of its files."""
    path = os.path.join
    bases = sorted(name[:-4] for name in os.listdir(directory) if re.fullmatch(r"\d{20}\.log", name))
    if not bases:
        fail(directory, 0, "no segment here")
    every_batch, expected = [], int(bases[0])
    for base in bases:
        log = path(directory, base + ".log")
        if int(base) != expected:
            fail(log, 0, f"the segment before ends at offset {expected}")
        batches = decode_segment(log, compacted)
        for batch in batches:
            if batch.base != expected:
                fail(log, batch.position, f"offset {batch.base} where {expected} was to come")
            expected = batch.last + 1
        stats["index"] += check_index(path(directory, base + ".index"), int(base), batches)
        stats["timeindex"] += check_timeindex(path(directory, base + ".timeindex"), int(base), batches, base != bases[-1])
        every_batch += batches
    check_epochs(path(directory, "leader-epoch-checkpoint"), every_batch)
    check_partition_metadata(path(directory, "partition.metadata"))
    producers += [(*batch.producer, len(batch.records)) for batch in every_batch]
    stats["segments"] += len(bases)
    stats["batches"] += len(every_batch)
    return [record for batch in every_batch for record in batch.records]


def json_bytes(data):
    try:
        return None if data is None else data.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode("ascii")}


def as_json(topic, partition, record):
    return {
        "topic": topic,
        "partition": partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        "timestamp_type": "append" if record.append_time else "create",
        "key": json_bytes(record.key),
        "value": json_bytes(record.value),
        "headers": [[name, json_bytes(value)] for name, value in record.headers],
    }


def compare(ours, theirs, name):
    """Both are lists of records in JSON; the order of the partitions does not matter."""
    fields = ("topic", "partition", "offset", "timestamp", "key", "value", "headers")
    place = lambda record: (record["partition"], record["offset"])  # noqa: E731
    if len(ours) != len(theirs):
        fail(name, 0, f"{len(ours)} records, the files hold {len(theirs)}")
    for mine, other in zip(sorted(ours, key=place), sorted(theirs, key=place)):
        for field in fields:
            if mine[field] != other[field]:
                where = "partition {} offset {}".format(*place(other))
                fail(name, 0, f"{where}: {field} is {str(mine[field])[:200]}, in the files {str(other[field])[:200]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", metavar="FILE")
    parser.add_argument("--stats", action="store_true")
    parser.add_argument("--producers", action="store_true")
    parser.add_argument("--compacted", action="store_true")
    parser.add_argument("directories", nargs="+", metavar="DIR")
    arguments = parser.parse_args()

    stats = collections.Counter(segments=0, batches=0, records=0, index=0, timeindex=0)
    lines, producers = [], []
    for directory in arguments.directories:
        topic, _, partition = os.path.basename(os.path.normpath(directory)).rpartition("-")
        lines += [as_json(topic, int(partition), record)
                  for record in decode_partition(directory, stats, producers, arguments.compacted)]
    stats["records"] = len(lines)

    if arguments.against:
        with open(arguments.against, encoding="utf-8") as file:
            compare([json.loads(line) for line in file], lines, arguments.against)
    elif arguments.producers:
        for fields in producers:
            print(*fields)
    elif arguments.stats:
        print(json.dumps(stats))
    else:
        for line in lines:
            print(json.dumps(line))


if __name__ == "__main__":
    try:
        main()
    except (Disagreement, OSError) as problem:
        sys.exit(f"decode.py: {problem}")
