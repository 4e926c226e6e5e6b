// A full session: subscribe, filter, zlib, unsubscribe, reconnect. The same in Node, with the package `ws`, and in a
// browser, with what it brings along.

export const session = async (connect, url, inflate) => {
  const PATIENCE_MS = 30_000;
  const check = (holds, text) => {
    if (!holds) throw new Error(text);
  };
  const open = () => new Promise((resolve, reject) => {
    const socket = connect(`${url}?coords=4k`);
    socket.binaryType = "arraybuffer";
    const [waiting, came] = [[], []];
    // To inflate takes its time: a text that came later has to wait, or a state would seem to come after the answer
    // to the request that ended it.
    let taken = Promise.resolve();
    socket.onmessage = ({ data }) => {
      taken = taken.then(async () => {
        const isBinary = typeof data !== "string";
        const message = { ...JSON.parse(isBinary ? await inflate(data) : data), isBinary };
        check(typeof message.timestamp === "string" && message.data instanceof Object, JSON.stringify(message));
        came.push(message);
        waiting.splice(0).forEach((wake) => wake());
      });
    };
    socket.onerror = () => reject(new Error("the connection failed"));
    const next = async (type, wanted = () => true) => {
      const until = Date.now() + PATIENCE_MS;
      for (;;) {
        const message = came.shift();
        if (message?.type === type && wanted(message)) return message;
        if (message) continue;
        check(Date.now() < until, `no ${type} came`);
        await new Promise((wake) => { waiting.push(wake); setTimeout(wake, 1000); });
      }
    };
    const say = (type, data = {}) => socket.send(JSON.stringify({ type, data }));
    socket.onopen = () => resolve({ socket, next, say, came });
  });
  for (let round = 0; round < 2; round++) {
    const { socket, next, say, came } = await open();
    check((await next("connection")).sequence === 1, "the greeting is the first message");
    say("subscribe", { streams: ["state"], filters: { frame_rate: 10 } });
    check((await next("subscribed")).data.streams[0] === "state", "the subscription is confirmed");
    const [first, second] = [await next("state"), await next("state")];
    check(second.sequence === first.sequence + 1, "messages are counted");
    check(second.data.balls.every(({ position }) => position.x >= 0 && position.x <= 3840), "on the canvas");

    say("subscribe", { streams: ["state"], filters: { quality: "low", exclude_fields: ["table"] } });
    await next("subscribed");
    const low = await next("state");
    check(!("table" in low.data) && low.data.balls.every((ball) => !("velocity" in ball)), "filters apply");

    say("subscribe", { streams: ["state"], filters: { compression: "zlib" } });
    await next("subscribed");
    check((await next("state", ({ isBinary }) => isBinary)).data.balls, "a compressed state");

    say("unsubscribe", { streams: ["state"] });
    await next("unsubscribed");
    await new Promise((wake) => setTimeout(wake, 1200));
    check(came.every(({ type }) => type !== "state"), "nothing after the subscription ended");
    const closed = new Promise((resolve) => { socket.onclose = resolve; });
    socket.close(1000);
    check((await closed).code === 1000, "the close is answered");
  }
  return "ok";
};
