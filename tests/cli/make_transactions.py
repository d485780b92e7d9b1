#!/usr/bin/python3
"""Writes a .log file as Kafka's producers and its transaction coordinator would: make_transactions.py FILE WORD...

a+x   producer a writes the value x in a transaction; a letter's place in the alphabet is the producer's id
a!    producer a's coordinator commits; a? aborts; a^ aborts and fences, with the next producer epoch
x     somebody writes x without a transaction
AGE:MS  what follows was written so many milliseconds ago (at first 0)
"""

import struct
import sys
import time

TABLE = []
for n in range(256):
    for _ in range(8):
        n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
    TABLE.append(n)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def varint(n):
    n = n << 1 ^ n >> 63
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def sized(data):
    return varint(-1) if data is None else varint(len(data)) + data


def batch(offset, attributes, timestamp, producer, key, value):
    record = b"\0" + varint(0) + varint(0) + sized(key) + sized(value) + varint(0)
    body = struct.pack(">hiqqqhii", attributes, 0, timestamp, timestamp, *producer, 1) + varint(len(record)) + record
    return struct.pack(">qiibI", offset, len(body) + 9, 0, 2, crc32c(body)) + body


def main():
    epochs, sequences, offset, age = {}, {}, 0, 0
    with open(sys.argv[1], "wb") as log:
        for word in sys.argv[2:]:
            if word.startswith("AGE:"):
                age = int(word[4:])
                continue
            now = int(time.time() * 1000) - age
            if len(word) < 2 or word[1] not in "+!?^":
                log.write(batch(offset, 0, now, (-1, -1, -1), None, word.encode()))
            elif word[1] == "+":
                who = ord(word[0]) - ord("a")
                sequence = sequences.get(who, 0)
                sequences[who] = sequence + 1
                log.write(batch(offset, 0x10, now, (who, epochs.get(who, 0), sequence), None, word[2:].encode()))
            else:
                who = ord(word[0]) - ord("a")
                if word[1] == "^":
                    epochs[who] = epochs.get(who, 0) + 1
                    sequences[who] = 0
                key = struct.pack(">hh", 0, word[1] == "!")
                log.write(batch(offset, 0x30, now, (who, epochs.get(who, 0), -1), key, struct.pack(">hi", 0, 3)))
            offset += 1


if __name__ == "__main__":
    main()
