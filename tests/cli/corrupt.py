#!/usr/bin/python3
"""Damages every file of a home in every way, one at a time, and runs the tools on it.

usage: corrupt.py [--all | --count N] [--seed N] [--only TEXT]      the tools are taken from $PG_BIN

Each byte flipped, each sector zeroed, each file cut at each length, removed, replaced by a directory or by its counterpart
in another topic; each with the state page in place, as on a running machine, and without it, as after a restart. Whatever
was done: no tool crashes, exit statuses are those of the table, what pg-consume prints are the true records at their true
offsets, exit 0 says that all of them were printed, no offset is given to another record, and of the .log files no byte is
changed. A damaged .log is found by verify, which names it. --only: the damages whose description contains TEXT.
"""
import argparse
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

BIN = os.environ["PG_BIN"]
CRASH_TEXT = re.compile(r"terminate called|assert|sanitizer|runtime error|segmentation|stack smashing|bug:", re.I)
SECTOR = 512
PARTITION = "brokers/0/t-0/"
NEW = "new record"


def run(home, name, *arguments, **options):
    return subprocess.run([os.path.join(BIN, name), *arguments], capture_output=True, text=True, errors="surrogateescape",
                          env={"PG_HOME": home}, timeout=60, **options)


def must(home, name, *arguments, **options):
    done = run(home, name, *arguments, **options)
    assert done.returncode == 0, done
    return done.stdout


class Template:
    """A home with topic t, whose records are known, and u, whose files are like those of t."""

    def __init__(self, home):
        self.home, self.records = home, []
        for topic in ("t", "u"):
            must(home, "pg-topic", "create", topic, "-c", "segment.bytes=1024", "-c", "index.interval.bytes=100")
            for batch in range(12):
                lines = "".join(f"k{n % 3}:{topic} {batch} {n} {'x' * (n * 7 % 40)}\n" for n in range(1 + batch % 4))
                must(home, "pg-produce", "-K", ":", "-H", "a=b", topic, input=lines)
                self.records += lines.replace(":", " ").splitlines() if topic == "t" else []
        self.records = [f"{offset} {record}" for offset, record in enumerate(self.records)]
        self.end = len(self.records)
        must(home, "pg-topic", "verify")
        self.files = {}
        for directory, _, names in os.walk(home):
            for name in names:
                path = os.path.join(directory, name)
                with open(path, "rb") as file:
                    self.files[os.path.relpath(path, home)] = file.read()

    def copy(self, home, with_page):
        """A new home with the same files. A page belongs to its inode, and to that of the lock beside it."""
        for path, content in self.files.items():
            if path.endswith("partition.state"):
                continue
            os.makedirs(os.path.dirname(f"{home}/{path}"), exist_ok=True)
            with open(f"{home}/{path}", "wb") as file:
                file.write(content)
        for partition in ("t-0", "u-0") if with_page else ():
            path = f"{home}/brokers/0/{partition}/partition.state"
            with open(path, "wb") as file:
                file.write(self.files[f"brokers/0/{partition}/partition.state"])
                page, lock = os.fstat(file.fileno()), os.stat(os.path.dirname(path) + "/partition.lock")
                file.seek(40)
                file.write(struct.pack("<QQQ", page.st_dev, page.st_ino, lock.st_ino))


class Damage:
    def __init__(self, path, what, act):
        self.path, self.what, self.act = path, what, act
        self.is_log = path.endswith(".log")

    def __str__(self):
        return f"{self.path} {self.what}"


def write_at(path, position, content):
    with open(path, "r+b") as file:
        file.seek(position)
        file.write(content)


def flip(position, bits):
    def act(path):
        with open(path, "r+b") as file:
            file.seek(position)
            byte = file.read(1)[0]
            file.seek(position)
            file.write(bytes([byte ^ bits]))
    return act


def remove_and_make_directory(path):
    os.unlink(path)
    os.mkdir(path)


def all_damages(template, chance):
    damages = []
    for path, content in sorted(template.files.items()):
        if not path.startswith((PARTITION, "topics/t/", "cluster", "brokers/0/")) or "/u-0/" in path:
            continue
        add = lambda what, act: damages.append(Damage(path, what, act))  # noqa: E731
        for position in range(len(content)):
            bits = chance.choice([0xFF, 1 << chance.randrange(8)])
            add(f"byte {position} ^ {bits:#x}", flip(position, bits))
        for position in range(0, len(content), SECTOR):
            sector = content[position:position + SECTOR]
            if any(sector):
                add(f"zeroed at {position}", lambda path, at=position, size=len(sector): write_at(path, at, bytes(size)))
        for size in range(len(content)):
            if path.endswith("partition.state") and size % 64:
                continue
            add(f"cut at {size}", lambda path, size=size: os.truncate(path, size))
        add("removed", os.unlink)
        add("a directory", remove_and_make_directory)
        if path.startswith(PARTITION) and (other := path.replace("/t-0/", "/u-0/")) in template.files:
            if template.files[other] != content:
                add("from another topic", lambda path: shutil.copy(path.replace("/t-0/", "/u-0/"), path))
    return damages


def choose(damages, count, chance):
    """A sample with something of each file and kind, and more of the .log files."""
    groups = {}
    for damage in damages:
        groups.setdefault((damage.path, damage.what.split()[0]), []).append(damage)
    chosen = [chance.choice(group) for group in groups.values()]
    weights = [3 if damage.is_log else 0.3 if damage.path.endswith("partition.state") else 1 for damage in damages]
    return chosen + chance.choices(damages, weights, k=max(0, count - len(chosen)))


class Trial:
    """One damage, and what the tools make of it."""

    def __init__(self, template, damage, with_page, home, order):
        self.template, self.damage, self.home = template, damage, home
        self.title = f"{damage}, page {'in place' if with_page else 'gone'}, {' '.join(order)}"
        self.faults = []
        self.new_offset, self.produced = None, 0
        if with_page or not damage.path.endswith("partition.state"):
            template.copy(home, with_page)
            damage.act(f"{home}/{damage.path}")
            self.logs = {name: self.read(name) for name in template.files if name.startswith(PARTITION) and name.endswith(".log")}
            for step in order:
                getattr(self, step)()
            self.check_nothing_changed()

    def read(self, name):
        path = f"{self.home}/{name}"
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            return file.read()

    def fault(self, text):
        self.faults.append(f"{self.title}: {text}")

    def tool(self, name, *arguments, allowed, **options):
        done = run(self.home, name, *arguments, **options)
        what = f"{name} {' '.join(arguments)}: {done.returncode} {done.stderr.strip()}"
        if done.returncode not in allowed:
            self.fault(what)
        if CRASH_TEXT.search(done.stderr):
            self.fault(f"crash: {what}")
        if done.returncode not in (0, 6) and not done.stderr:
            self.fault(f"without a word: {what}")
        return done

    def verify(self):
        swapped = self.damage.what == "from another topic"
        done = self.tool("pg-topic", "verify", "t", allowed={0, 1, 3, 4, 6})
        if self.damage.is_log:
            if done.returncode != 6 and self.damage.what != "a directory" and not swapped:
                self.fault(f"verify ends with {done.returncode}")
            elif self.damage.what == "a directory" and self.damage.path not in done.stdout + done.stderr:
                self.fault(f"verify does not name the file: {done.stdout} {done.stderr}")
            elif done.returncode == 6 and self.damage.what != "a directory" and not re.search(r"/t-0/\d+\.(log|timeindex):\d+ offset \d+: ", done.stdout):
                self.fault(f"verify names no place: {done.stdout} {done.stderr}")

    def consume(self):
        done = self.tool("pg-consume", "-f", "%o %k %v\\n", "t", allowed={0, 1, 3, 4, 6})
        true, lines = self.template.records, done.stdout.splitlines()
        old = [line for line in lines if int(line.split(" ")[0]) < self.template.end]
        new = lines[len(old):]
        if self.damage.what == "from another topic":
            return  # a batch does not say which topic it is of
        if old and old != true[int(old[0].split(" ")[0]):][:len(old)]:
            self.fault(f"consume prints {old}")
        if len(new) > self.produced or any(line.split(" ", 1)[1] != f" {NEW}" for line in new):
            self.fault(f"consume prints new records {new}")
        if done.returncode == 0 and (old != true or (self.new_offset is not None and not new)):
            self.fault(f"consume ends with 0 and prints {len(lines)} records")

    def produce(self):
        self.produced += 1  # with an error, too, it may be there
        done = self.tool("pg-produce", "--report", "--no-create", "--timeout", "1s", "t", NEW, allowed={0, 1, 3, 4, 6})
        if done.returncode != 0:
            return
        base = int(re.search(r'"base_offset":(\d+)', done.stdout).group(1))
        if base < self.template.end:
            self.fault(f"produce gives offset {base} to a new record")
            return
        self.new_offset = base
        again = self.tool("pg-consume", "-f", "%o  %v", "-o", str(base), "t", allowed={0})
        if again.stdout != f"{base}  {NEW}":
            self.fault(f"the new record reads '{again.stdout}'")

    def describe(self):
        self.tool("pg-topic", "describe", "t", allowed={0, 1, 3, 4, 6})

    def dump(self):
        self.tool("pg-topic", "dump", "--records", "--index", "t", allowed={0, 1, 3, 4, 6})

    def check_nothing_changed(self):
        for name, content in self.logs.items():
            if content is not None and not (self.read(name) or b"").startswith(content):
                self.fault(f"{name} was changed")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    faults = []
    with tempfile.TemporaryDirectory(prefix="corrupt-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as work:
        template = Template(f"{work}/template")
        damages = [damage for damage in all_damages(template, chance) if arguments.only in str(damage)]
        chosen = damages if arguments.all else choose(damages, arguments.count, chance)
        print(f"seed {arguments.seed}: {len(chosen)} of {len(damages)} damages", flush=True)
        for damage in chosen:
            for with_page in (True, False):
                order = chance.sample(["verify", "verify", "consume", "consume", "produce", "produce", "describe", "dump"], 4)
                trial = Trial(template, damage, with_page, f"{work}/home", order)
                faults += trial.faults
                shutil.rmtree(f"{work}/home", ignore_errors=True)
    for fault in faults[:40]:
        print(fault[:1000])
    print(f"{len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
