"""The history of a torture run, and what must be true of it.

Producers write records whose bytes follow from who wrote them and the how-manieth they are, so that whoever reads one can
tell whether it is whole, and whether anybody wrote it. The driver tells what it knows while it happens (what was fed,
acknowledged, read, how processes ended); every rule that is broken becomes a line in `violations`.

  value      an offset has one value for ever, for all readers and at any time
  invented   a record that nobody wrote, or in other bytes
  order      one producer's records on one partition are in its order
  twice      a record is there twice
  missing    a record whose producer ended with 0 is not there, or there is a gap in what a producer wrote
  lost       an acknowledged batch is not exactly where it was acknowledged
  gap        a reader was not told of an offset, or of one twice
  unread     a reader that began after the acknowledgement, and ended with 0, did not get an acknowledged record

What consumer groups promise:

  ahead      a group has committed an offset below which not everything was delivered
  skipped    a record that is there, and that the group has committed, was delivered to nobody; of a compacted topic, no later record
             with its key was delivered either
  behind     a group's committed offset went back, or the last member read to the end and did not commit it
  backwards  a member was given a partition's records again, or out of order, and had not joined again
  repeated   a record was delivered once more although who had it first ended well, having committed it
  owners     two commands worked at once on what one is to have for itself
"""
import zlib
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field

KEYS = 40
_FILLER = bytes(33 + i * i % 89 for i in range(1500))


def value_of(run, number):
    """The value of a run's record: its bytes say where it belongs, and which bytes it has."""
    head = b"%s:%d:" % (run, number)
    mixed = zlib.crc32(head)
    return head + _FILLER[mixed % 1200:mixed % 1200 + (mixed >> 16) % 220]


def key_of(number):
    return b"k%d" % (number * 7 % KEYS)


def partition_of(key, partitions):
    """Kafka's default partitioner: murmur2 of the key."""
    mask, mixer = 0xFFFFFFFF, 0x5BD1E995
    hashed = 0x9747B28C ^ len(key)
    whole = len(key) & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(key[at:at + 4], "little") * mixer & mask
        hashed = hashed * mixer & mask ^ (k ^ k >> 24) * mixer & mask
    if len(key) > whole:
        hashed = (hashed ^ int.from_bytes(key[whole:], "little")) * mixer & mask
    hashed = (hashed ^ hashed >> 13) * mixer & mask
    return ((hashed ^ hashed >> 15) & 0x7FFFFFFF) % partitions


@dataclass
class Topic:
    name: bytes
    partitions: int
    trimmed: bool = False    # records at its start may be deleted
    compacted: bool = False  # and records that a later one with the same key replaces
    reborn: bool = False     # it is deleted and made again: its offsets say nothing

    @property
    def whole(self):
        return not (self.trimmed or self.compacted or self.reborn)


@dataclass
class Run:
    """One producer's input; with a producer id, also when it is sent in several attempts."""
    name: bytes
    topic: Topic
    partition: int = None  # None: the keys decide
    named: bool = False    # sent with --input-id until it ended with 0
    fed: int = 0           # records it was given
    finished: bool = False  # ended with 0
    acknowledged: dict = field(default_factory=lambda: defaultdict(list))  # partition -> [(base offset, count)]
    route: dict = field(default_factory=lambda: defaultdict(list))  # partition -> the numbers that belong there
    routed: int = 0

    def numbers(self, partition):
        """The numbers of the records that go to a partition, in order."""
        for number in range(self.routed, self.fed):
            where = self.partition if self.partition is not None else partition_of(key_of(number), self.topic.partitions)
            self.route[where].append(number)
        self.routed = self.fed
        return self.route[partition]


class Reader:
    """What one consumer process printed."""

    def __init__(self, history, name, first=None):
        self.history, self.name, self.first = history, name, first
        self.next, self.records, self.last_number = {}, 0, {}
        self.must_reach = {place: end for place, end in history.acknowledged_end.items()}

    def read(self, topic, partition, offset, key, value):
        place = (topic.name, partition)
        self.records += 1
        expected = self.next.get(place, self.first if topic.whole else None)
        if expected is not None and offset != expected and not (topic.compacted and offset > expected):
            self.history.violate("gap", f"{self.name}: {place} offset {offset} where {expected} was due")
        self.next[place] = offset + 1
        if topic.reborn:
            self._read_reborn(place, offset, key, value)
        else:
            self.history.observe(self.name, topic, partition, offset, key, value)

    def _read_reborn(self, place, offset, key, value):
        run, number = self.history.identify(self.name, place, offset, key, value)
        if run is None:
            return
        if number <= self.last_number.get((run.name, place), -1):
            self.history.violate("order", f"{self.name}: {place} offset {offset}: {run.name} has {number} again or too late")
        self.last_number[run.name, place] = number

    def check_reached(self, places):
        """To be called for a reader that read to the end of these (topic, partition)s and ended with 0."""
        for topic, partition in places:
            place = (topic.name, partition)
            end, reached = self.must_reach.get(place, 0), self.next.get(place, self.first)
            if topic.reborn or (reached or 0) >= end:
                continue
            if topic.whole:
                self.history.violate("unread", f"{self.name}: {place} ended at {reached}, acknowledged were all below {end}")
            elif reached is not None:
                self.history.unread[place].append((self.name, reached, end))
            # Else it began so many offsets before the end, and all of those may have been deleted or replaced before it read.


class Member:
    """What one member of a group was given. ordered: its records come in the order of their offsets."""

    def __init__(self, group, name, ordered=True):
        self.group, self.history, self.name, self.ordered = group, group.history, name, ordered
        self.began, self.ended = self.history.now(), None
        self.clean = False  # it has ended, and committed all that it was given
        self.last, self.turns, self.records = {}, defaultdict(int), 0

    def deliver(self, topic, partition, offset, key, value):
        place = (topic.name, partition)
        self.records += 1
        if offset <= self.last.get(place, -1):
            self.turns[place] += 1
        self.last[place] = offset
        self.group.delivered[place].setdefault(offset, []).append(self)
        self.history.observe(self.name, topic, partition, offset, key, value)

    def end(self, clean, rejoined=0):
        """rejoined: how often it was taken out of the group and joined again."""
        self.ended, self.clean = self.history.now(), clean and not rejoined
        for place, turns in self.turns.items():
            if self.ordered and turns > rejoined:
                self.history.violate("backwards", f"{self.name}: {place} went back {turns} times, it joined again {rejoined} times")


class Group:
    """A consumer group. moved: somebody moves its offsets, so that records are skipped and repeated."""

    def __init__(self, history, name, moved=False):
        self.history, self.name, self.moved = history, name, moved
        self.delivered = defaultdict(dict)  # (topic, partition) -> offset -> the members that got it
        self.committed = defaultdict(int)   # the largest offset that was ever seen committed

    def see_committed(self, topic, partition, offset, floor=0):
        """Once everything that members got before was told. floor: it was committed before anybody looked."""
        place = (topic.name, partition)
        if self.moved:
            return
        if offset < floor:
            self.history.violate("behind", f"group {self.name}: {place} has {offset} committed, it was {floor}")
        if topic.whole:
            missing = [o for o in range(self.committed[place], offset) if o not in self.delivered[place]]
            if missing:
                self.history.violate("ahead", f"group {self.name}: {place} has {offset} committed, "
                                     f"{len(missing)} from {missing[0]} on were not delivered")
        self.committed[place] = max(self.committed[place], offset)

    def finish(self, topic, partition, end, offsets, committed):
        """After a last member has read to the end, and nothing runs any more. offsets: those that are there."""
        place = (topic.name, partition)
        if committed != end:
            self.history.violate("behind", f"group {self.name}: {place} ends at {end}, committed is {committed}")
        if self.moved:
            return
        delivered = self.delivered[place]
        skipped = [offset for offset in offsets if offset < committed and offset not in delivered]
        if topic.compacted:
            skipped = self._without_replaced(place, skipped)
        if skipped:
            self.history.violate("skipped", f"group {self.name}: {place} {len(skipped)} records from {skipped[0]} on")
        for offset, members in delivered.items():
            if len(members) > 1:
                self._check_repeated(place, offset, members)

    def _without_replaced(self, place, offsets):
        """The offsets without those whose key has a later record that was delivered.

        Brokers compact their replicas at different times. A member may have read from a leader that had removed such a record;
        a later leader still has it.
        """
        known, newest = self.history.known[place], {}
        for offset in self.delivered[place]:
            key = known[offset][0]
            newest[key] = max(newest.get(key, -1), offset)
        return [offset for offset in offsets if offset not in known or newest.get(known[offset][0], -1) < offset]

    def _check_repeated(self, place, offset, members):
        clean = [member for member in members if member.clean]
        late = [member for member in members if any(member.began > first.ended for first in clean)]
        if len(clean) > 1 or late:
            names = ", ".join(member.name + (" (ended well)" if member.clean else "") for member in members)
            self.history.violate("repeated", f"group {self.name}: {place} offset {offset} was delivered to {names}")


class History:
    def __init__(self):
        self.violations = []
        self.moments = 0
        self.runs = {}
        self.known = defaultdict(dict)             # (topic, partition) -> offset -> (key, value)
        self.where = defaultdict(dict)             # run -> number -> (partition, offset)
        self.acknowledged_end = defaultdict(int)   # (topic, partition) -> exclusive
        self.unread = defaultdict(list)            # (topic, partition) -> (who, offset, end): did not get these, if they are there
        self.batches = 0

    def violate(self, rule, text):
        self.violations.append(f"{rule}: {text}")

    def now(self):
        """A number that grows: what came first."""
        self.moments += 1
        return self.moments

    def begin(self, run):
        self.runs[run.name] = run
        return run

    def acknowledge(self, run, partition, base_offset, count):
        self.batches += 1
        run.acknowledged[partition].append((base_offset, count))
        if not run.topic.reborn:
            place = (run.topic.name, partition)
            self.acknowledged_end[place] = max(self.acknowledged_end[place], base_offset + count)

    def identify(self, who, place, offset, key, value):
        """Whose record this is; None if nobody's."""
        try:
            name, number, _ = value.split(b":", 2)
            run, number = self.runs[name], int(number)
        except (ValueError, KeyError):
            run, number = None, -1
        if run is None or not 0 <= number < run.fed or value_of(run.name, number) != value or run.topic.name != place[0] or \
                key != (key_of(number) if run.partition is None else b""):
            self.violate("invented", f"{who}: {place} offset {offset}: key {key!r} value {value!r}")
            return None, -1
        return run, number

    def observe(self, who, topic, partition, offset, key, value):
        place = (topic.name, partition)
        known = self.known[place].get(offset)
        if known is None:
            self.known[place][offset] = (key, value)
            run, number = self.identify(who, place, offset, key, value)
            if run is None:
                return
            if number in self.where[run.name]:
                self.violate("twice", f"{who}: {run.name} record {number} at {self.where[run.name][number]} and {partition, offset}")
            self.where[run.name].setdefault(number, (partition, offset))
            if run.partition is not None and run.partition != partition:
                self.violate("lost", f"{who}: {run.name} record {number} is on partition {partition}")
        elif known != (key, value):
            self.violate("value", f"{who}: {place} offset {offset}: {key!r} {value!r}, it was {known}")

    def finish(self, topic, logs):
        """When nothing runs any more. logs: for each partition its (start, end, offsets that are there)."""
        for partition, (start, end, offsets) in enumerate(logs):
            place = (topic.name, partition)
            if not topic.compacted and offsets != list(range(start, end)):
                self.violate("gap", f"{place} holds {len(offsets)} of the offsets {start} to {end}")
            if topic.whole and start != 0:
                self.violate("lost", f"{place} begins at {start}")
            if end < self.acknowledged_end[place]:
                self.violate("lost", f"{place} ends at {end}, acknowledged was {self.acknowledged_end[place]}")
            ahead = [offset for offset in self.known[place] if offset >= end]
            if ahead:
                self.violate("lost", f"{place} ends at {end}, but offsets {min(ahead)} to {max(ahead)} were read")
            there = set(offsets)
            for who, reached, must in self.unread[place]:
                if any(reached <= offset < must for offset in there):
                    self.violate("unread", f"{who}: {place} ended at {reached}, acknowledged were all below {must}, and some are there")
            for offset in self.known[place] if topic.whole else ():
                if offset not in there:
                    self.violate("lost", f"{place} offset {offset} was read, and is gone")
            for run in self.runs.values():
                if run.topic is topic:
                    self._check_run(run, partition, start)
            if topic.compacted:
                self._check_compacted(topic, partition, there)

    def _check_run(self, run, partition, start):
        wanted = run.numbers(partition)
        seen = self.where[run.name]
        there = [(number, seen[number][1]) for number in wanted if number in seen]
        for (number, offset), (later, later_offset) in zip(there, there[1:]):
            if later_offset <= offset:
                self.violate("order", f"{run.name} partition {partition}: record {later} at {later_offset}, {number} at {offset}")
        if run.topic.whole:
            # What a killed producer has written is the beginning of its input, without a gap.
            due = wanted if run.finished else wanted[:len(there)]
            if [number for number, _ in there] != due:
                missing = sorted(set(due) - set(seen))
                self.violate("missing", f"{run.name} partition {partition}: {len(there)} of {len(due)}, not {missing[:5]}…")
        self._check_acknowledged(run, partition, start, wanted)

    def _check_acknowledged(self, run, partition, start, wanted):
        at = 0  # in wanted
        place = (run.topic.name, partition)
        for base, count in run.acknowledged[partition]:
            owner = self.known[place].get(base)
            if run.named and owner is not None and owner[1].startswith(run.name + b":"):
                at = bisect_left(wanted, int(owner[1].split(b":")[1]))  # an attempt goes on where another one ended
            numbers = wanted[at:at + count]
            if len(numbers) != count:
                self.violate("lost", f"{run.name}: {count} acknowledged at {base} of {place}, more than it was given")
            for step, number in enumerate(numbers):
                known = self.known[place].get(base + step)
                if known is None and not run.topic.whole and (run.topic.compacted or base + step < start):
                    continue  # deleted before anybody read it
                if known is None or known[1] != value_of(run.name, number):
                    self.violate("lost", f"{run.name}: record {number} acknowledged at {place} offset {base + step}, there is {known}")
                    break
            at += count

    def _check_compacted(self, topic, partition, there):
        newest, kept = {}, {}
        for run in self.runs.values():
            if run.topic is not topic:
                continue
            wanted = iter(run.numbers(partition))
            for base, count in () if run.named else run.acknowledged[partition]:
                for step, number in zip(range(count), wanted):
                    newest[key_of(number)] = max(newest.get(key_of(number), -1), base + step)
        for offset in there:
            key = self.known[topic.name, partition][offset][0]
            kept[key] = max(kept.get(key, -1), offset)
        for key, offset in newest.items():
            if kept.get(key, -1) < offset:
                self.violate("lost", f"{topic.name} {partition}: key {key} had a record at {offset}, its last one is at {kept.get(key)}")
