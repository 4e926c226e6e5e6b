"""A full session with the `websockets` package: subscribe, filter, zlib, unsubscribe, reconnect.

usage: python3 session.py ws://HOST:PORT/api/v1/ws
"""

import asyncio
import json
import sys
import zlib

import websockets

PATIENCE = 30


async def next_of(socket, kind, binary=False):
    while True:
        raw = await asyncio.wait_for(socket.recv(), PATIENCE)
        message = json.loads(zlib.decompress(raw) if isinstance(raw, bytes) else raw)
        assert isinstance(message["timestamp"], str) and isinstance(message["data"], dict), message
        if message["type"] == kind and isinstance(raw, bytes) == binary:
            return message


async def say(socket, kind, **data):
    await socket.send(json.dumps({"type": kind, "data": data}))


async def session(url):
    async with websockets.connect(url + "?coords=4k") as socket:
        greeting = await next_of(socket, "connection")
        assert greeting["sequence"] == 1 and greeting["data"]["status"] == "connected"
        await say(socket, "subscribe", streams=["state"], filters={"max_fps": 10})
        assert (await next_of(socket, "subscribed"))["data"]["streams"] == ["state"]
        states = [await next_of(socket, "state") for _ in range(3)]
        assert [a["sequence"] + 1 for a in states[:-1]] == [b["sequence"] for b in states[1:]]
        assert all(0 <= ball["position"]["x"] <= 3840 for ball in states[-1]["data"]["balls"])

        await say(socket, "subscribe", streams=["state"], filters={"quality": "low", "include_fields": ["balls"]})
        await next_of(socket, "subscribed")
        assert list((await next_of(socket, "state"))["data"]) == ["balls"]

        await say(socket, "subscribe", streams=["state"], filters={"compression": "zlib"})
        await next_of(socket, "subscribed")
        assert "balls" in (await next_of(socket, "state", binary=True))["data"]

        await say(socket, "unsubscribe", streams=["state"])
        await next_of(socket, "unsubscribed")
        await say(socket, "ping")
        await next_of(socket, "pong")
        try:
            late = await asyncio.wait_for(socket.recv(), 1.2)
            raise AssertionError(f"expected nothing after the subscription ended, found {late}")
        except asyncio.TimeoutError:
            pass
        await (await socket.ping())


async def main(url):
    for _ in range(2):
        await session(url)
    print("ok")


asyncio.run(main(sys.argv[1]))
