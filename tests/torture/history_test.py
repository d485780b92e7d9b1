#!/usr/bin/python3
"""The history checker is given wrong histories: each must break the rule it is made to break, and a right one none."""
import unittest

from history import Group, History, Member, Reader, Run, Topic, key_of, partition_of, value_of


class WrongHistories(unittest.TestCase):
    def setUp(self):
        self.history = History()
        self.topic = Topic(b"t", 1)
        self.run_a, self.run_b = (self.history.begin(Run(name, self.topic, partition=0, fed=4)) for name in (b"a", b"b"))
        # What is there, offset by offset: a0 a1 b0 a2 a3 b1; a has ended with 0, b was killed.
        self.log = [(b"", value_of(run, number)) for run, number in
                    ((b"a", 0), (b"a", 1), (b"b", 0), (b"a", 2), (b"a", 3), (b"b", 1))]
        self.run_a.finished = True

    def acknowledge(self):
        self.history.acknowledge(self.run_a, 0, 0, 2)
        self.history.acknowledge(self.run_a, 0, 3, 2)
        self.history.acknowledge(self.run_b, 0, 2, 1)

    def read(self, records=None, name="r", first=0):
        reader = Reader(self.history, name, first)
        for offset, (key, value) in records if records is not None else enumerate(self.log):
            reader.read(self.topic, 0, offset, key, value)
        return reader

    def finish(self):
        self.read(name="last")
        self.history.finish(self.topic, [(0, len(self.log), list(range(len(self.log))))])

    def assert_broken(self, *rules):
        broken = {violation.split(":")[0] for violation in self.history.violations}
        self.assertEqual(broken, set(rules), self.history.violations)

    def test_a_right_history_breaks_nothing(self):
        self.acknowledge()
        self.read().check_reached([(self.topic, 0)])
        self.read(list(enumerate(self.log))[3:], first=3)
        self.finish()
        self.assert_broken()

    def test_an_offset_with_two_values(self):
        other = list(enumerate(self.log))
        other[5] = (5, (b"", value_of(b"b", 2)))
        self.read(other)
        self.read()
        self.assert_broken("value")

    def test_a_record_nobody_wrote(self):
        for wrong in (value_of(b"c", 0), value_of(b"b", 4), value_of(b"b", 1)[:-1], b"noise", b""):
            with self.subTest(wrong):
                self.setUp()
                self.log[5] = (b"", wrong)
                self.read()
                self.assert_broken("invented")

    def test_a_wrong_key(self):
        self.log[5] = (b"k", self.log[5][1])
        self.read()
        self.assert_broken("invented")

    def test_records_out_of_order(self):
        self.log[0], self.log[1] = self.log[1], self.log[0]
        self.finish()
        self.assert_broken("order")

    def test_a_record_twice(self):
        self.log.append(self.log[0])
        self.finish()
        self.assert_broken("twice")

    def test_a_missing_record_of_a_producer_that_ended_with_0(self):
        del self.log[4]
        self.finish()
        self.assert_broken("missing")

    def test_a_hole_in_what_a_killed_producer_wrote(self):
        self.log[5] = (b"", value_of(b"b", 2))
        self.finish()
        self.assert_broken("missing")

    def test_an_acknowledged_batch_that_is_elsewhere(self):
        self.history.acknowledge(self.run_b, 0, 3, 1)
        self.finish()
        self.assert_broken("lost")

    def test_an_acknowledged_batch_that_is_gone_with_the_end(self):
        self.history.acknowledge(self.run_b, 0, 2, 1)
        self.history.acknowledge(self.run_b, 0, 5, 1)
        del self.log[5]
        self.finish()
        self.assert_broken("lost")

    def test_more_acknowledged_than_there_was(self):
        self.history.acknowledge(self.run_a, 0, 0, 9)
        self.finish()
        self.assert_broken("lost")

    def test_a_record_that_was_read_and_is_gone(self):
        self.read()
        del self.log[5]
        self.finish()
        self.assert_broken("lost")

    def test_a_gap_for_a_reader(self):
        records = list(enumerate(self.log))
        for wrong in (records[:2] + records[3:], records[:3] + records[2:], records[1:]):
            self.setUp()
            self.read(wrong)
            self.assert_broken("gap")

    def test_a_gap_in_the_log(self):
        self.read()
        self.history.finish(self.topic, [(0, 6, [0, 1, 2, 4, 5])])
        self.assert_broken("gap", "lost")

    def test_an_acknowledged_record_that_a_later_reader_did_not_get(self):
        self.acknowledge()
        self.read(list(enumerate(self.log))[:4]).check_reached([(self.topic, 0)])
        self.assert_broken("unread")

    def test_a_reader_need_not_get_what_was_deleted_or_replaced_meanwhile(self):
        self.topic.trimmed = True
        self.acknowledge()
        self.read()
        self.read(list(enumerate(self.log))[:4]).check_reached([(self.topic, 0)])
        self.read([], first=None).check_reached([(self.topic, 0)])
        self.history.finish(self.topic, [(5, 6, [5])])
        self.assert_broken()
        self.history.finish(self.topic, [(4, 6, [4, 5])])
        self.assert_broken("unread")

    def test_what_was_acknowledged_after_a_reader_began_it_need_not_get(self):
        reader = self.read(list(enumerate(self.log))[:4])
        self.acknowledge()
        reader.check_reached([(self.topic, 0)])
        self.assert_broken()

    def test_a_topic_made_again_keeps_only_order_and_bytes(self):
        self.topic.reborn = True
        self.read()
        self.read([(0, self.log[2]), (1, self.log[3])])
        self.assert_broken()
        self.read([(0, self.log[3]), (1, self.log[0])])
        self.assert_broken("order")

    def test_an_acknowledged_key_that_compaction_lost(self):
        self.topic.compacted, self.topic.partitions = True, 1
        run = self.history.begin(Run(b"c", self.topic, fed=3))
        self.history.acknowledge(run, 0, 6, 3)
        self.log = [(key_of(number), value_of(b"c", number)) for number in range(3)]
        self.read([(6, self.log[0]), (7, self.log[1])], first=6)
        self.run_a.finished = False
        self.history.finish(self.topic, [(0, 9, [6, 7])])
        self.assert_broken("lost")

    def test_a_named_run_whose_attempts_are_acknowledged_apart(self):
        named = self.history.begin(Run(b"n", self.topic, partition=0, named=True, fed=3, finished=True))
        self.log += [(b"", value_of(b"n", number)) for number in range(3)]
        self.history.acknowledge(named, 0, 6, 1)
        self.history.acknowledge(named, 0, 8, 1)  # the batch between was written, but its writer was killed
        self.finish()
        self.assert_broken()
        self.history.acknowledge(named, 0, 5, 1)
        self.history.finish(self.topic, [(0, 9, list(range(9)))])
        self.assert_broken("lost")

    def test_keys_go_where_kafka_puts_them(self):
        # Figures of Kafka's own test of its murmur2.
        self.assertEqual([partition_of(key, 1 << 30) for key in (b"21", b"foobar", b"a-little-bit-long-string", b"abc")],
                         [(hashed & 0x7FFFFFFF) % (1 << 30) for hashed in (-973932308, -790332482, -985981536, 479470107)])


class WrongGroups(unittest.TestCase):
    assert_broken = WrongHistories.assert_broken

    def setUp(self):
        self.history = History()
        self.topic = Topic(b"t", 1)
        self.history.begin(Run(b"a", self.topic, partition=0, fed=6, finished=True))
        self.group = Group(self.history, "g")

    def member(self, offsets, name="m", **options):
        member = Member(self.group, name, **options)
        for offset in offsets:
            member.deliver(self.topic, 0, offset, b"", value_of(b"a", offset))
        return member

    def finish(self, offsets=range(6), committed=6):
        self.group.finish(self.topic, 0, 6, list(offsets), committed)

    def test_right_groups_break_nothing(self):
        killed = self.member([0, 1, 2], "killed")
        self.group.see_committed(self.topic, 0, 2)
        killed.end(clean=False)
        changing = self.member([2, 3, 5], "changing")
        self.member([4], "between").end(clean=True)
        changing.end(clean=True)
        self.group.see_committed(self.topic, 0, 6, floor=2)
        self.finish()
        self.assert_broken()

    def test_committed_what_nobody_got(self):
        self.member([0, 1])
        self.group.see_committed(self.topic, 0, 3)
        self.assert_broken("ahead")

    def test_committed_with_a_hole(self):
        self.member([0, 2])
        self.group.see_committed(self.topic, 0, 3)
        self.assert_broken("ahead")

    def test_a_record_that_nobody_got(self):
        self.member([0, 1, 2, 4, 5]).end(clean=True)
        self.finish()
        self.assert_broken("skipped")

    def test_trimmed_and_compacted_records_need_not_be_delivered(self):
        for topic in (Topic(b"t", 1, trimmed=True), Topic(b"t", 1, compacted=True)):
            with self.subTest(topic):
                self.setUp()
                self.deliver_some(topic)
                self.finish(offsets=[2, 5])
                self.assert_broken()

    def test_a_record_of_a_trimmed_topic_that_nobody_got(self):
        self.deliver_some(Topic(b"t", 1, trimmed=True))
        self.finish(offsets=[2, 3, 5])
        self.assert_broken("skipped")

    def test_a_record_that_the_next_leader_has_not_compacted_yet(self):
        self.deliver_some(Topic(b"t", 1, compacted=True))
        self.read_last(3)
        self.finish(offsets=[2, 3, 5])
        self.assert_broken()

    def test_the_newest_record_of_a_key_that_nobody_got(self):
        self.deliver_some(Topic(b"t", 1, compacted=True), offsets=[2, 3])
        self.read_last(5)
        self.finish(offsets=[2, 3, 5])
        self.assert_broken("skipped")

    def deliver_some(self, topic, offsets=(2, 5)):
        self.history.runs[b"a"].topic = self.topic = topic
        self.member(offsets).end(clean=True)
        self.group.see_committed(topic, 0, 6)

    def read_last(self, offset):
        self.history.observe("last", self.topic, 0, offset, b"", value_of(b"a", offset))

    def test_the_end_is_not_committed(self):
        self.member(range(6)).end(clean=True)
        self.finish(committed=5)
        self.assert_broken("behind")

    def test_a_commit_that_goes_back(self):
        self.member(range(6))
        self.group.see_committed(self.topic, 0, 6)
        self.group.see_committed(self.topic, 0, 5)  # who looked may have begun before
        self.assert_broken()
        self.group.see_committed(self.topic, 0, 5, floor=6)
        self.assert_broken("behind")

    def test_a_member_that_gets_its_own_records_again(self):
        for offsets in ([0, 1, 1], [1, 0], [0, 1, 2, 0, 1, 2]):
            with self.subTest(offsets):
                self.setUp()
                self.member(offsets).end(clean=False)
                self.assert_broken("backwards")
        self.setUp()
        self.member([0, 1, 2, 0, 1, 2]).end(clean=True, rejoined=1)
        self.assert_broken()
        self.member([0, 1, 0, 1, 0]).end(clean=True, rejoined=1)
        self.assert_broken("backwards")

    def test_commands_that_run_beside_each_other_end_in_any_order(self):
        self.member([1, 0, 2], ordered=False).end(clean=True)
        self.assert_broken()

    def test_a_record_twice_although_nobody_was_killed(self):
        first, second = self.member(range(4), "first"), self.member(range(3, 6), "second")
        first.end(clean=True)
        second.end(clean=True)
        self.finish()
        self.assert_broken("repeated")

    def test_a_record_once_more_for_one_that_is_killed_later(self):
        self.member(range(6), "first").end(clean=True)
        self.member([5], "second").end(clean=False)
        self.finish()
        self.assert_broken("repeated")

    def test_one_who_was_fenced_did_not_end_well(self):
        first, second = self.member(range(4), "first"), self.member(range(2, 6), "second")
        first.end(clean=True, rejoined=1)
        second.end(clean=True)
        self.finish()
        self.assert_broken()

    def test_a_group_that_is_moved_keeps_order_and_ends_at_the_end(self):
        self.group.moved = True
        self.member([0, 1], "first").end(clean=True)
        self.member([1, 5], "second").end(clean=True)
        self.group.see_committed(self.topic, 0, 6, floor=6)
        self.finish()
        self.assert_broken()
        self.finish(committed=4)
        self.member([1, 1], "third").end(clean=True)
        self.assert_broken("behind", "backwards")


if __name__ == "__main__":
    unittest.main()
