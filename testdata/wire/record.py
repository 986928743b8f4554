#!/usr/bin/env python3
"""Replays the scenarios of this folder against a PostgreSQL server and writes down its answers.

    record.py HOST PORT DB   every scenario in *.txt; the `=` lines are rewritten in place
    record.py --matrix       writes matrix.txt anew, without answers
    record.py --mutations N  writes mutations.txt anew: N streams of frames with random damage

A scenario is a `## name`, lines to send, and one line `= answer`. A line `startup` sends a usual
startup packet, `frame T body` a frame of type T with a right length, `raw bytes` just bytes; \\0 to
\\7, \\n and \\xNN stand for bytes. An answer lists the message types (errors with severity and
SQLSTATE, ReadyForQuery with its state; ParameterStatus, BackendKeyData and notices are left out)
and ends with `open` or `closed`. A line `! answer` beside it is what ShardDB answers where it
differs on purpose; the comment above says why.

The server needs a table:  CREATE TABLE sink (line text);
"""
import glob, os, random, socket, struct, sys
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
QUIET_SECONDS = 0.25


def unescape(text):
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


def bytes_of(line, database):
    if line == "startup":
        body = struct.pack("!I", 196608) + b"user\0postgres\0database\0" + database + b"\0\0"
        return struct.pack("!I", len(body) + 4) + body
    kind, _, rest = line.partition(" ")
    if kind == "raw":
        return unescape(rest)
    tag, _, body = rest.partition(" ")
    body = unescape(body)
    return tag.encode() + struct.pack("!I", len(body) + 4) + body


def read_all(sock):
    data, closed = b"", False
    sock.settimeout(QUIET_SECONDS)
    while True:
        try:
            piece = sock.recv(65536)
        except socket.timeout:
            return data, closed
        except ConnectionResetError:
            return data, True
        if not piece:
            return data, True
        data += piece


def summary(data, closed):
    words = []
    while data:
        if data[0:1] == b"N" and (len(data) == 1 or data[1] != 0):
            words.append("N")
            data = data[1:]
            continue
        tag, length = chr(data[0]), struct.unpack("!I", data[1:5])[0]
        if tag == "E" and length > len(data):
            words.append("E:protocol-2")
            break
        body, data = data[5:length + 1], data[length + 1:]
        if tag in "SKN":
            continue
        if tag == "E":
            fields = {f[:1]: f[1:] for f in body.split(b"\0") if f}
            tag = "E:%s:%s" % (fields[b"V"].decode(), fields[b"C"].decode())
        if tag == "Z":
            tag = "Z:" + body.decode()
        words.append(tag)
    return " ".join(words + ["closed" if closed else "open"])


def replay(host, port, database, lines):
    with socket.create_connection((host, port)) as sock:
        data = b""
        for line in lines:
            try:
                sock.sendall(bytes_of(line, database))
            except (BrokenPipeError, ConnectionResetError):
                break
        piece, closed = read_all(sock)
        return summary(data + piece, closed)


def record(host, port, database):
    """Answers are asked for side by side: each takes as long as the server's silence."""
    with ThreadPoolExecutor(8) as pool:
        for path in sorted(glob.glob(os.path.join(HERE, "*.txt"))):
            out, lines = [], []
            for line in open(path).read().splitlines():
                if line.startswith("##"):
                    lines = []
                elif line.startswith("="):
                    line = pool.submit(replay, host, port, database, lines)
                elif line and line[0] not in "#!":
                    lines.append(line)
                out.append(line)
            text = [line if isinstance(line, str) else "= " + line.result() for line in out]
            open(path, "w").write("\n".join(text) + "\n")


STATES = {
    "startup": [],
    "ready": ["startup"],
    "in a transaction": ["startup", "frame Q BEGIN\\0"],
    "in a failed transaction": ["startup", "frame Q BEGIN\\0", "frame Q BOGUS\\0"],
    "with a statement and a portal": [
        "startup", "frame P \\0\\0\\0\\0", "frame B \\0\\0\\0\\0\\0\\0\\0\\0"],
    "skipping to Sync": ["startup", "frame P \\0BOGUS\\0\\0\\0"],
    "copying, simple": ["startup", "frame Q COPY sink FROM STDIN\\0"],
    "copying, extended": [
        "startup", "frame P \\0COPY sink FROM STDIN\\0\\0\\0",
        "frame B \\0\\0\\0\\0\\0\\0\\0\\0", "frame E \\0\\0\\0\\0\\0"],
}
MESSAGES = {
    "Query": "frame Q \\0", "Parse": "frame P \\0\\0\\0\\0",
    "Bind": "frame B \\0\\0\\0\\0\\0\\0\\0\\0", "Describe statement": "frame D S\\0",
    "Describe portal": "frame D P\\0", "Execute": "frame E \\0\\0\\0\\0\\0",
    "Close statement": "frame C S\\0", "Close portal": "frame C P\\0", "Flush": "frame H ",
    "Sync": "frame S ", "Terminate": "frame X ", "CopyData": "frame d a line\\n",
    "CopyDone": "frame c ", "CopyFail": "frame f no more\\0",
    "Password": "frame p secret\\0", "unknown": "frame ! ",
    "FunctionCall": "frame F \\0\\0\\0\\0\\0\\0\\0\\0\\0\\0", "second startup": "startup",
}


def matrix():
    with open(os.path.join(HERE, "matrix.txt"), "w") as out:
        out.write("# Every message type in every state. Written by record.py --matrix.\n")
        for state, before in STATES.items():
            for message, line in MESSAGES.items():
                steps = "\n".join(before + [line])
                out.write(f"\n## {message} {state if state == 'startup' else '- ' + state}\n{steps}\n=\n")


WHOLE = [
    b"Q\0", b"P\0\0\0\0", b"B\0\0\0\0\0\0\0\0", b"DS\0", b"DP\0", b"E\0\0\0\0\0", b"CS\0", b"CP\0",
    b"H", b"S", b"S", b"dline\n", b"c", b"fno\0",
]


def damaged(message, rng):
    """A frame of the message, one in three with something wrong in it."""
    tag, body, wrong_by = message[:1], bytearray(message[1:]), 0
    damage = rng.randrange(12)
    if damage == 0 and body:
        del body[rng.randrange(len(body)):]
    elif damage == 1:
        body.insert(rng.randrange(len(body) + 1), rng.choice(b"\0\x01aSP\xff"))
    elif damage == 2 and body:
        body[rng.randrange(len(body))] = rng.choice(b"\0\x01aSP\xff")
    elif damage == 3 and rng.randrange(6) == 0:
        wrong_by = rng.choice([-2, -1, 1, 2, 3])
    return tag + struct.pack("!i", len(body) + 4 + wrong_by) + bytes(body)


def mutations(count):
    rng = random.Random(7433)
    with open(os.path.join(HERE, "mutations.txt"), "w") as out:
        out.write("# Streams of frames with random damage. Written by record.py --mutations.\n")
        for number in range(count):
            frames = b"".join(damaged(rng.choice(WHOLE), rng) for _ in range(rng.randrange(2, 12)))
            text = "".join("\\x%02x" % byte for byte in frames)
            out.write(f"\n## stream {number}\nstartup\nraw {text}\n=\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--matrix"]:
        matrix()
    elif sys.argv[1:2] == ["--mutations"]:
        mutations(int(sys.argv[2]))
    else:
        record(sys.argv[1], int(sys.argv[2]), sys.argv[3].encode())
