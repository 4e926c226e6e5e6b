// usage: node node_session.mjs ws://HOST:PORT/api/v1/ws

import { inflateSync } from "node:zlib";
import WebSocket from "ws";
import { session } from "../peers/session.mjs";

const inflate = (data) => inflateSync(Buffer.from(data)).toString();
console.log(await session((url) => new WebSocket(url), process.argv[2], inflate));
