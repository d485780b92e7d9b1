#!/usr/bin/python3
"""Compares core/schema's Avro with python3-avro, by random schemas and values.

usage: compare_avro.py codec|resolution SEED COUNT

codec: both write the same bytes, and each reads what the other wrote.
resolution: both agree whether what one schema wrote another one can read.
"""
import io
import json
import random
import struct
import subprocess
import sys

import avro.io
import avro.schema
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]


class Maker:
    def __init__(self, seed, clear):
        self.random = random.Random(seed)
        self.clear = clear  # whether a value shows which branch of a union it is
        self.names = 0

    def schema(self, depth):
        kind = self.random.randrange(14 if depth > 0 else 8)
        if kind < 8:
            return PRIMITIVES[kind]
        if kind == 8:
            return {"type": "array", "items": self.schema(depth - 1)}
        if kind == 9:
            return {"type": "map", "values": self.schema(depth - 1)}
        if kind == 10:
            return self.union(depth)
        self.names += 1
        name = f"N{self.names}"
        if kind == 11:
            return {"type": "fixed", "name": name, "size": self.random.randrange(1, 5)}
        if kind == 12:
            return {"type": "enum", "name": name, "symbols": self.some("ABCD")}
        return self.record(name, depth)

    def some(self, letters):
        return self.random.sample(letters, self.random.randrange(1, len(letters)))

    def record(self, name, depth):
        fields = [self.field(f, depth) for f in self.some("abcd")]
        if self.random.randrange(3) == 0:  # one that contains itself
            fields.append({"name": "next", "type": ["null", name]})
        return {"type": "record", "name": name, "fields": fields}

    def field(self, name, depth):
        return {"name": name, "type": self.schema(depth - 1)}

    def union(self, depth):
        branches = self.random.sample(PRIMITIVES, self.random.randrange(1, 4))
        if self.clear:  # python3-avro chooses the branch by the value
            branches = ["null", self.random.choice(["boolean", "int", "long", "float", "double"]), "string", "bytes"]
            self.random.shuffle(branches)
            branches = branches[: self.random.randrange(1, 5)]
        if depth > 1 and self.random.randrange(2):
            self.names += 1
            branches.append(self.record(f"N{self.names}", depth - 1))
        elif depth > 1 and self.random.randrange(2):
            branches.append({"type": "map", "values": self.schema(depth - 1)})
        return branches

    def value(self, schema, defined):
        """A value as python3-avro has it, and the same as JSON."""
        if isinstance(schema, list):
            return self.branch(schema, defined)
        if isinstance(schema, str) and schema in defined:
            schema = defined[schema]
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind == "array":
            pairs = [self.value(schema["items"], defined) for _ in range(self.random.randrange(3))]
            return [p for p, _ in pairs], [j for _, j in pairs]
        if kind == "map":
            pairs = {self.text(): self.value(schema["values"], defined) for _ in range(self.random.randrange(3))}
            return {k: p for k, (p, _) in pairs.items()}, {k: j for k, (_, j) in pairs.items()}
        if kind == "record":
            defined = {**defined, schema["name"]: schema}
            pairs = {f["name"]: self.value(f["type"], defined) for f in schema["fields"]}
            return {k: p for k, (p, _) in pairs.items()}, {k: j for k, (_, j) in pairs.items()}
        if kind == "enum":
            symbol = self.random.choice(schema["symbols"])
            return symbol, symbol
        if kind in ("fixed", "bytes"):
            raw = self.random.randbytes(schema["size"] if kind == "fixed" else self.random.randrange(6))
            return raw, raw.decode("latin-1")
        return self.primitive(kind)

    def primitive(self, kind):
        bits = self.random.choice([7, 31, 63]) if kind == "long" else 31
        value = {
            "null": lambda: None,
            "boolean": lambda: self.random.random() < 0.5,
            "int": lambda: self.random.randrange(-(1 << bits), 1 << bits),
            "long": lambda: self.random.randrange(-(1 << bits), 1 << bits),
            "float": lambda: struct.unpack("<f", struct.pack("<f", self.random.uniform(-1e9, 1e9)))[0],
            "double": lambda: self.random.uniform(-1e300, 1e300),
            "string": self.text,
        }[kind]()
        return value, value

    def branch(self, schema, defined):
        chosen = self.random.choice(schema)
        name = chosen if isinstance(chosen, str) else chosen.get("name", chosen["type"])
        value, form = self.value(chosen, defined)
        return value, None if chosen == "null" else {name: form}

    def text(self):
        return "".join(self.random.choice('abc"\\\n\u00e4\u20ac\U0001f600') for _ in range(self.random.randrange(5)))

    def change(self, schema):
        """The schema with a few random changes, some of which matter."""
        if isinstance(schema, list):
            changed = [self.change(b) if isinstance(b, dict) else b for b in schema]
            if self.random.randrange(5) == 0:
                self.random.shuffle(changed)
            return changed[1:] if len(changed) > 1 and self.random.randrange(8) == 0 else changed
        if isinstance(schema, str):
            return self.change_name(schema)
        changed = dict(schema)
        for part in ("items", "values"):
            if part in changed:
                changed[part] = self.change(changed[part])
        if "size" in changed and self.random.randrange(6) == 0:
            changed["size"] += 1
        if "symbols" in changed and self.random.randrange(3) == 0:
            changed["symbols"] = self.some("ABCD")
            if self.random.randrange(2):
                changed["default"] = changed["symbols"][0]
        if "fields" in changed:
            changed["fields"] = self.change_fields(changed["fields"])
        return changed

    def change_name(self, name):
        if name not in PRIMITIVES or self.random.randrange(5):
            return name
        promoted = {"int": "long", "long": "float", "float": "double", "string": "bytes", "bytes": "string"}.get(name, name)
        return self.random.choice([promoted, ["null", name] if name != "null" else name, self.random.choice(PRIMITIVES)])

    def change_fields(self, fields):
        changed = [{**f, "type": self.change(f["type"])} for f in fields if self.random.randrange(8)]
        if self.random.randrange(3) == 0:
            changed.append({"name": "e", "type": "int", **({"default": 1} if self.random.randrange(2) else {})})
        for field in changed:
            if self.random.randrange(10) == 0:
                field["aliases"], field["name"] = [field["name"]], field["name"] + "_new"
        return changed


def ask(requests):
    lines = "".join(json.dumps(r) + "\n" for r in requests)
    done = subprocess.run(["avro_lines"], input=lines, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    answers = [json.loads(line) for line in done.stdout.split("\n")[:-1]]
    assert len(answers) == len(requests), (len(answers), len(requests))
    return answers


def same(ours, theirs):
    """Equal, but that what is a float for one may be rounded to fewer digits by the other."""
    if isinstance(ours, float) and isinstance(theirs, float):
        return ours == theirs or struct.pack("<f", ours) == struct.pack("<f", theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return type(ours) is type(theirs) and ours == theirs


def codec(maker, count):
    schemas = [maker.schema(4) for _ in range(count)]
    values = [maker.value(s, {}) for s in schemas]
    written = []
    for schema, (value, _) in zip(schemas, values):
        out = io.BytesIO()
        avro.io.DatumWriter(avro.schema.parse(json.dumps(schema))).write(value, avro.io.BinaryEncoder(out))
        written.append(out.getvalue())
    encoded = ask([["encode", s, form] for s, (_, form) in zip(schemas, values)])
    decoded = ask([["decode", s, w.hex()] for s, w in zip(schemas, written)])
    for schema, (value, form), theirs, ours, back in zip(schemas, values, written, encoded, decoded):
        assert ours == theirs.hex(), (schema, form, theirs.hex(), ours)
        assert same(back, form), (schema, form, back)
        reader = avro.io.DatumReader(avro.schema.parse(json.dumps(schema)))
        assert reader.read(avro.io.BinaryDecoder(io.BytesIO(bytes.fromhex(ours)))) == value, (schema, value)


def resolution(maker, count):
    writers = [maker.schema(4) for _ in range(count)]
    readers = [maker.change(w) for w in writers]
    pairs = []
    for reader, writer in [*zip(readers, writers), *zip(writers, readers), *zip(writers, writers[1:])]:
        try:
            parsed = avro.schema.parse(json.dumps(reader)), avro.schema.parse(json.dumps(writer))
        except avro.errors.AvroException:
            continue  # a change too many: two branches of a kind
        pairs.append((reader, writer, parsed))
    verdicts = {True: 0, False: 0}
    for (reader, writer, parsed), kinds in zip(pairs, ask([["check", r, w] for r, w, _ in pairs])):
        assert isinstance(kinds, list), (reader, writer, kinds)
        theirs = ReaderWriterCompatibilityChecker().get_compatibility(*parsed)
        can_read = theirs.compatibility is SchemaCompatibilityType.compatible
        assert can_read == (not kinds), (reader, writer, kinds, theirs.incompatibilities)
        verdicts[can_read] += 1
    assert min(verdicts.values()) > count // 10, verdicts  # or it would not say much
    print(verdicts)


if __name__ == "__main__":
    what, seed, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    {"codec": codec, "resolution": resolution}[what](Maker(seed, clear=what == "codec"), number)
