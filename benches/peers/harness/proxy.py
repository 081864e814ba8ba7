"""Stands between every contestant and the emulator: counts the calls by operation, and makes each take longer.

Standard library only; started as a program: `proxy.py UPSTREAM_PORT`, prints its port, ends with its standard input. `POST
/peers/begin?ms=60` sets the latency and forgets the calls; `GET /peers/calls` says them. Connections are kept open, and any number
of them is served side by side: the latency of one call never delays another.
"""

import asyncio
import json
import os
import sys
import time
import urllib.parse

HOST = "127.0.0.1"


class Proxy:
    def __init__(self, upstream):
        self.upstream = upstream
        self.begin(0)

    def begin(self, milliseconds):
        self.latency = milliseconds / 1000
        self.calls, self.spans, self.under_way, self.most = {}, [], 0, 0

    async def serve(self, reader, writer):
        try:
            while (message := await read(reader)) is not None:
                first, headers, raw, body = message
                target = first.split(" ")[1]
                if target.startswith("/peers/"):
                    answer = self.control(urllib.parse.urlsplit(target))
                else:
                    answer = await self.pass_on(first, headers, raw, body)
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # A client that goes away is done with its connection.
        finally:
            writer.close()

    def control(self, target):
        if target.path == "/peers/begin":
            self.begin(float(urllib.parse.parse_qs(target.query)["ms"][0]))
        return response(200, json.dumps(self.counted()).encode())

    def counted(self):
        return {"calls": self.calls, "most_at_once": self.most, "rounds": rounds(self.spans)}

    async def pass_on(self, first, headers, raw, body):
        name = operation(first, headers, body)
        self.calls[name] = self.calls.get(name, 0) + 1
        spans, started = self.spans, time.monotonic()
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            return await self.ask(first, raw, body)
        finally:
            self.under_way -= 1
            spans.append((started, time.monotonic()))

    async def ask(self, first, raw, body):
        # moto speaks HTTP/1.0 and ends each connection: nothing is lost by a new one for each call.
        reader, writer = await asyncio.open_connection(HOST, self.upstream)
        kept = b"".join(
            line
            for line in raw
            if not line.lower().startswith((b"connection:", b"expect:", b"transfer-encoding:", b"content-length:"))
        )
        length = b"content-length: %d\r\n" % len(body)
        writer.write(first.encode() + b"\r\n" + kept + length + b"connection: close\r\n\r\n" + body)
        await writer.drain()
        status, headers, raw, body = await read(reader, answer=True, bodiless=first.startswith("HEAD "))
        writer.close()
        kept = b"".join(
            line for line in raw if not line.lower().startswith((b"connection:", b"transfer-encoding:", b"content-length:"))
        )
        return status.encode() + b"\r\n" + kept + b"content-length: %d\r\n\r\n" % len(body) + body


def rounds(spans):
    """The longest chain of calls each of which began after the one before it had ended: what latency is paid for. It means something
    where every call takes much longer than what is done between two."""
    depths = []
    for started, ended in sorted(spans):
        depths.append((ended, 1 + max((depth for earlier, depth in depths if earlier <= started), default=0)))
    return max((depth for _, depth in depths), default=0)


async def read(reader, answer=False, bodiless=False):
    """First line, headers in small letters, header lines as they came, body; None where the connection ends between two."""
    first = await reader.readline()
    if not first:
        if answer:
            raise ConnectionError("the emulator closed the connection without an answer")
        return None
    raw, headers = [], {}
    while (line := await reader.readline()) not in (b"\r\n", b"\n", b""):
        raw.append(line)
        key, _, value = line.decode("latin-1").partition(":")
        headers[key.strip().lower()] = value.strip()
    first = first.decode("latin-1").strip()
    if answer:
        first = first.replace("HTTP/1.0", "HTTP/1.1", 1)
    if bodiless:
        body = b""
    elif headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    elif "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    else:
        body = await reader.read() if answer else b""
    return first, headers, raw, body


def response(status, body):
    return b"HTTP/1.1 %d OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (status, len(body)) + body


def operation(first, headers, body):
    """`iam:GetRole`, as permissions are named."""
    scope = headers.get("authorization", "").partition("Credential=")[2].split(",")[0].split("/")
    service = scope[3] if len(scope) > 3 else "?"
    if target := headers.get("x-amz-target"):
        return f"{service}:{target.rpartition('.')[2]}"
    form = urllib.parse.parse_qs(body.decode("latin-1")) if b"Action=" in body else {}
    if action := form.get("Action"):
        return f"{service}:{action[0]}"
    method, path = first.split(" ")[:2]
    parts = path.split("?")[0].strip("/").split("/")
    if service == "lambda" and method == "GET" and parts[1:2] == ["functions"]:
        known = {2: "ListFunctions", 3: "GetFunction"}
        return "lambda:" + (
            "GetFunctionConfiguration" if parts[3:] == ["configuration"] else known.get(len(parts), "/".join(parts[3:]))
        )
    return f"{service}:{method} {path.split('?')[0]}"


async def main():
    proxy = Proxy(int(sys.argv[1]))
    server = await asyncio.start_server(proxy.serve, HOST, 0, limit=2**22, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    # The pipe closes with the process that holds it, however that ends.
    await asyncio.get_running_loop().run_in_executor(None, lambda: os.read(0, 1))
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
