"""The groups of a torture run: their members, workers that run commands, and operators, and what the round asks of each.

A group has a character: "shared" and "wide" have members that print; "byhand" has one member at a time that commits nothing,
and an operator who does it afterwards; "moved" is moved while members read; "work" runs a command for each record.
"""
import json
import os
import re
import subprocess

from actors import KILLED, TERMINATED, Operator, Process, tool
from history import Group, Member

REJOINED = re.compile(rb"it joins again")
NOT_COMMITTED = re.compile(rb"no member of group|cannot commit|not committed|still being read|another process holds|before the replicas", re.I)

# Its own lock is descriptor 0, which the kernel closes before 3, the partition's: whoever owns the partition next finds it free.
COMMAND = """\
# WORKER GROUP WHAT FAILS: WHAT has one command at a time; one in FAILS fails
value=$(cat)
case $3 in
  key) lock=$PG_TOPIC-$PG_PARTITION-$PG_KEY ;;
  none) lock=$PG_TOPIC-$PG_PARTITION-$PG_OFFSET ;;
  *) lock=$PG_TOPIC-$PG_PARTITION ;;
esac
exec 0<>"lock.$2.$lock"
flock -n 0 || { echo "owners $1 $lock" >>"$2.done"; exit 9; }
[ "$4" -eq 0 ] || [ $(($$ % $4)) -ne 0 ] || exit 1
[ $(($$ % 37)) -ne 0 ] || sleep 0.2
printf 'done %s %s %s %s %s %s\\n' "$1" "$PG_TOPIC" "$PG_PARTITION" "$PG_OFFSET" "$PG_KEY" "$value" >>"$2.done"
"""


class GroupPlan:
    """One group of a round: its topics and how its members are started."""

    def __init__(self, round_, name, topics, members):
        chance = round_.chance
        self.round, self.name, self.topics, self.most_members = round_, name, topics, members
        self.group = Group(round_.history, name, moved=name == "moved")
        self.assignor = chance.choice([[], ["--assignor", "range"], ["--assignor", "round-robin"], ["--assignor", "sticky"]])
        self.order = chance.choice(["partition", "partition", "key", "none"])
        self.workers, self.done, self.partial = {}, None, b""
        self.to_commit = None  # byhand: the member whose offsets are to be committed
        if name == "work":
            self.done = open(f"{round_.work}/{name}.done", "w+b")
            with open(f"{round_.work}/work.sh", "w", encoding="ascii") as script:
                script.write(COMMAND)

    def live(self):
        return [process for process in self.round.processes if isinstance(process, GroupMember) and process.plan is self]

    def start_missing(self):
        if len(self.live()) >= self.most_members:
            return []
        if self.to_commit:
            return [CommitOperator(self, self.to_commit)] if not self.round.kinds(CommitOperator) else []
        return [self.start()]

    def start(self):
        chance = self.round.chance
        topics = chance.sample(self.topics, chance.randrange(1, len(self.topics) + 1))
        options = ["--session-timeout", chance.choice(["1s", "1s", "2s", "10s"])] + self.assignor
        follow = self.name != "byhand" and chance.random() < 0.7
        if follow:
            options += ["-F"]
        elif chance.random() < 0.4:
            options += ["-n", str(chance.randrange(1, 1500))]
        if self.name == "work":
            return self.start_worker(topics, options, follow, chance.choice([0, 0, 11]))
        return GroupMember(self, self.round.name(self.name), topics, options, follow)

    def start_worker(self, topics, options, follow, fails):
        chance = self.round.chance
        options += ["-P", str(chance.choice([1, 2, 4])), "--order", self.order]
        if fails and chance.random() < 0.7:
            options += ["--max-attempts", "3", "--retry-backoff", "20ms"]
        return Worker(self, self.round.name(self.name), topics, options, follow, fails)

    def last(self):
        """Reads what is left, to the end."""
        name, options = self.round.name(f"the-last-of-{self.name}-"), ["--session-timeout", "1s"] + self.assignor
        if self.name == "work":
            return Worker(self, name, self.topics, options + ["-P", "4", "--order", self.order], False, 0)
        return GroupMember(self, name, self.topics, options, False)

    def take_done(self):
        """What the commands have done, also those whose worker is gone."""
        while self.done and (data := self.done.read(1 << 20)):
            *lines, self.partial = (self.partial + data).split(b"\n")
            for line in lines:
                what, name, *rest = line.split(b" ", 6)
                if what == b"owners":
                    self.round.history.violate("owners", f"{name.decode()}: somebody else was at work on {rest[0].decode()}")
                    continue
                topic, partition, offset, key, value = rest
                self.workers[name].deliver(self.topic(topic), int(partition), int(offset), key, value)

    def take_all(self):
        """Everything that members have printed so far."""
        for member in self.live():
            member.take_output()
        self.take_done()

    def topic(self, name):
        return next(topic for topic in self.topics if topic.name == name)

    def close(self):
        if self.done:
            self.done.close()

    def finish(self, ends):
        """ends: topic name -> for each partition its end, and the offsets that are there."""
        self.take_all()
        committed = committed_offsets(subprocess.run([tool("pg-group"), "describe", "--json", self.name], check=True,
                                                     capture_output=True).stdout)
        for topic in self.topics:
            for partition, (end, offsets) in enumerate(ends[topic.name]):
                offset = committed.get((topic.name, partition))
                self.group.see_committed(topic, partition, offset or 0)
                self.group.finish(topic, partition, end, offsets, offset)


def committed_offsets(described):
    """{(topic, partition): offset}, as `pg-group describe --json` says of one group."""
    return {(entry["topic"].encode(), entry["partition"]): entry["committed_offset"] for line in described.splitlines()
            for entry in json.loads(line)["partitions"] if entry["committed_offset"] is not None}


class GroupMember(Process):
    def __init__(self, plan, name, topics, options, follow, how=("-f", "%t %p %o %k %v\\n")):
        # Members that hang are killed by the others.
        self.allowed = {0, 4, KILLED}
        self.plan, self.follow = plan, follow
        self.member = self.make_member(name)
        self.said, self.offsets_file = b"", None
        if plan.name == "byhand":
            self.offsets_file = f"{plan.round.work}/{name}.offsets"
            options = options + ["--commit", "never", "--offsets-file", self.offsets_file]
        super().__init__(plan.round, name, ["pg-consume", "-g", plan.name, *options, *how, *(topic.name.decode() for topic in topics)])
        self.until = self.began + plan.round.chance.uniform(0.5, 6) if follow else None

    def make_member(self, name):
        return Member(self.plan.group, name)

    def tick(self, now):
        super().tick(now)
        if self.until and now > self.until and not self.expected_end and not self.stopped_until:
            self.terminate()

    def terminate(self):
        if self.expected_end is None:
            self.popen.terminate()
            self.expected_end = TERMINATED

    def take_output(self):
        for line in self.new_lines():
            try:
                topic, partition, offset, key, value = line.split(b" ", 4)
                self.member.deliver(self.plan.topic(topic), int(partition), int(offset), key, value)
            except (ValueError, StopIteration):
                self.round.history.violate("invented", f"{self.name} printed {line!r}")

    def check_end(self, status):
        with open(self.err_path, "rb") as err:
            self.said = err.read()
        super().check_end(status)

    def ended_well(self, status):
        """What it was given is committed."""
        return status in (0, TERMINATED) and not NOT_COMMITTED.search(self.said)

    def ended(self, status):
        self.plan.take_done()
        well = self.ended_well(status)
        rejoined = len(REJOINED.findall(self.said))
        if self.offsets_file and well and os.path.exists(self.offsets_file):
            self.plan.to_commit = self
        self.member.end(well and not self.offsets_file, rejoined)
        count = self.round.count
        count["records of groups"] += self.member.records
        count["fenced"] += rejoined
        if status == KILLED and self.expected_end != KILLED:
            count["hung" if self.was_stopped else "hung by themselves"] += 1


class Worker(GroupMember):
    """A member that runs commands. What they did is in a file of the group."""

    def __init__(self, plan, name, topics, options, follow, fails):
        command = f"sh work.sh {name} {plan.name} {plan.order} {fails}"
        super().__init__(plan, name, topics, options, follow, ("--exec", command))
        if fails:
            self.allowed = self.allowed | {1}

    def make_member(self, name):
        member = Member(self.plan.group, name, ordered=self.plan.order == "partition")
        self.plan.workers[name.encode()] = member
        return member

    def take_output(self):
        self.plan.take_done()
        for line in self.new_lines():
            self.round.history.violate("invented", f"{self.name} printed {line!r}")

    def ended_well(self, status):
        # What is done above a record that is not is not committed: it runs again when the partition changes hands.
        if self.plan.order != "partition":
            return False
        return status in (0, 1, TERMINATED) and not NOT_COMMITTED.search(self.said)


class GroupOperator(Operator):
    """A pg-group command on one group."""

    def __init__(self, plan, arguments):
        self.plan, self.printed = plan, []
        self.floor = dict(plan.group.committed)
        super().__init__(plan.round, plan.round.name(arguments[0]), arguments, {0, 3, 4}, program="pg-group")
        self.describes = arguments[0] == "describe"

    def take_output(self):
        self.printed += self.new_lines()

    def ended(self, status):
        if status != 0 or not self.describes:
            return
        self.plan.take_all()
        for (name, partition), offset in committed_offsets(b"\n".join(self.printed)).items():
            floor = self.floor.get((name, partition), 0)
            self.plan.group.see_committed(self.plan.topic(name), partition, offset, floor)
            self.round.count["commits seen"] += 1


class CommitOperator(GroupOperator):
    """Commits what a member has left in its file; unless it ends with 0, the records come again."""

    def __init__(self, plan, member):
        self.of = member
        super().__init__(plan, ["commit", plan.name, member.offsets_file])

    def ended(self, status):
        self.plan.to_commit = None
        self.of.member.clean = status == 0
        os.unlink(self.of.offsets_file)
