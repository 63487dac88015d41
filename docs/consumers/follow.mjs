// Follows keyturn's events without a library: node follow.mjs HOST PORT [PASSWORD] [POSITION]
// Prints one JSON object per event. Remember the last position, and pass it at the next start.
import net from "node:net";

const [host, port, password, from = "0-0"] = process.argv.slice(2);
const socket = net.connect(Number(port), host);
const command = (...parts) => socket.write(`*${parts.length}\r\n` + parts.map((p) => `$${Buffer.byteLength(p)}\r\n${p}\r\n`).join(""));
let buffer = Buffer.alloc(0);
let position = from;

// One reply of the Redis protocol (RESP2), or undefined while it is incomplete.
function parse(at = 0) {
  const end = buffer.indexOf("\r\n", at);
  if (end < 0) return undefined;
  const kind = String.fromCharCode(buffer[at]);
  const line = buffer.toString("utf8", at + 1, end);
  if (kind === "+" || kind === ":") return { value: line, next: end + 2 };
  if (kind === "-") throw new Error(line);
  const length = Number(line);
  if (length < 0) return { value: null, next: end + 2 };
  if (kind === "$") return buffer.length < end + 4 + length ? undefined : { value: buffer.toString("utf8", end + 2, end + 2 + length), next: end + 4 + length };
  const value = [];
  for (let next = end + 2, item; value.length < length; next = item.next) {
    if (!(item = parse(next))) return undefined;
    value.push(item.value);
    if (value.length === length) return { value, next: item.next };
  }
  return { value, next: end + 2 };
}

function apply([id, fields]) {
  const [epoch, sequence] = id.split("-").map(Number);
  const [lastEpoch, last] = position.split("-").map(Number);
  const event = JSON.parse(fields[fields.indexOf("__data__") + 1]);
  // Another epoch, or a missing number: anything derived from earlier events may be wrong.
  const forget = epoch !== lastEpoch || sequence !== last + 1 ? "everything" : event.touches;
  console.log(JSON.stringify({ epoch, sequence, type: event.type, forget }));
  position = id;
}

const read = () => command("XREAD", "COUNT", "1000", "BLOCK", "5000", "STREAMS", "kt:{0}:events", position);
socket.on("data", (chunk) => {
  buffer = Buffer.concat([buffer, chunk]);
  for (let reply; buffer.length && (reply = parse()); ) {
    buffer = buffer.subarray(reply.next);
    if (reply.value === "OK") continue; // of AUTH
    if (reply.value) reply.value[0][1].forEach(apply);
    read();
  }
});
if (password) command("AUTH", password);
read();
