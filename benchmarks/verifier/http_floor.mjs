// The floor of HTTP: Node.js' own server reads a request to its end and always sends the same answer.
// argv: port, octets of the answer's body.
import { createServer } from "node:http";

const [port, octets] = process.argv.slice(2).map(Number);
const body = "x".repeat(octets);
const fields = {
  "content-type": "application/json", "cache-control": "no-store", pragma: "no-cache", "content-length": octets,
};
createServer((request, response) => {
  request.on("data", () => {});
  request.on("end", () => response.writeHead(200, fields).end(body));
}).listen(port, "127.0.0.1");
