#!/usr/bin/python3
"""HTTP as clients speak it, and as they should not, for serve.bats."""

import gzip
import http.client
import json
import socket
import sys
import threading
import urllib.parse

JSON = "application/vnd.schemaregistry.v1+json"


def connect(url):
    host = urllib.parse.urlsplit(url)
    return http.client.HTTPConnection(host.hostname, host.port, timeout=60)


def request(connection, method, path, body=None, headers=()):
    fields = {"content-type": JSON} if body else {}
    fields.update(header.split(":", 1) for header in headers)
    connection.request(method, path, body or None, fields)
    response = connection.getresponse()
    return response, response.read().decode()


def ask(url, method, path, body=None, *headers):
    response, text = request(connect(url), method, path, body, headers)
    print(response.status, text)


def media_type(url):
    print(request(connect(url), "GET", "/")[0].headers["content-type"])


def hold(count, url):
    """Connections that were used once and stay open until the server closes them."""
    connections = [connect(url) for _ in range(int(count))]
    for connection in connections:
        assert request(connection, "GET", "/")[1] == "{}"
    open("held", "w").close()
    for connection in connections:
        if connection.sock:
            assert connection.sock.recv(1) == b""


def register(count, first, url):
    """Schemas in subjects of their own, from four threads."""
    count, first = int(count), int(first)
    lock = threading.Lock()

    def some(numbers):
        connection = connect(url)
        for number in numbers:
            schema = json.dumps({"type": "object", "title": str(number)}, separators=(",", ":"))
            body = json.dumps({"schema": schema, "schemaType": "JSON"})
            response, text = request(connection, "POST", f"/subjects/s{number}/versions", body)
            assert response.status == 200, text
            with lock:
                print(json.loads(text)["id"])

    threads = [threading.Thread(target=some, args=[range(first + i, first + count, 4)]) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


POST = "POST /subjects/{}/versions HTTP/1.1\r\nContent-Type: application/json\r\n"
BODY = b'{"schema":"\\"string\\""}'


def head(name, *fields):
    return (POST.format(name) + "".join(field + "\r\n" for field in fields) + "\r\n").encode()


def chunk(data):
    return b"%x\r\n" % len(data) + data + b"\r\n"


def sized(name, body, *fields):
    return [head(name, f"Content-Length: {len(body)}", *fields), body]


# What is sent, in pieces; it ends where the server has had enough.
RAW = {
    "many_headers": lambda: [b"GET / HTTP/1.1\r\n"] + [b"H%d: x\r\n" % i for i in range(20000)] + [b"\r\n"],
    "long_header": lambda: [b"GET / HTTP/1.1\r\nX: " + b"a" * 1000000 + b"\r\n\r\n"],
    "long_path": lambda: [b"GET /" + b"a" * 1000000 + b" HTTP/1.1\r\n\r\n"],
    "no_http": lambda: [b"\x16\x03\x01\x02\x00" + bytes(500) + b"\r\n\r\n"],
    "no_length": lambda: [head("s")],
    "large_body": lambda: sized("s", b" " * 5000000),
    "huge_length": lambda: [head("s", "Content-Length: 99999999999999999999")],
    "endless_chunks": lambda: [head("s", "Transfer-Encoding: chunked")] + [chunk(b" " * 100000)] * 100,
    "gzip_bomb": lambda: sized("s", gzip.compress(bytes(100000000), 1), "Content-Encoding: gzip"),
    "wrong_chunk": lambda: [head("s", "Transfer-Encoding: chunked"), b"zz\r\n{}\r\n0\r\n\r\n"],
    "chunks": lambda: [head("chunks", "Transfer-Encoding: chunked"), chunk(BODY[:5]), chunk(BODY[5:]), b"0\r\n\r\n"],
    "gzip": lambda: sized("gzip", gzip.compress(BODY), "Content-Encoding: gzip"),
}


def raw(name, url):
    host = urllib.parse.urlsplit(url)
    with socket.create_connection((host.hostname, host.port), timeout=60) as connection:
        try:
            for piece in RAW[name]():
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has answered already
        answer = connection.recv(1 << 16)
    print(answer.split(b"\r\n")[0].decode() or "closed")


name, arguments = sys.argv[1], sys.argv[2:]
if name in RAW:
    raw(name, *arguments)
else:
    {"ask": ask, "type": media_type, "hold": hold, "register": register}[name](*arguments)
