/**
 * A DNS server that others speak over: every query is answered wrongly first, with another number, for another name, from
 * another port, from other addresses, and cut; then rightly. Plain JavaScript, so that it starts fast. Arguments: its
 * address, the address in what is wrong, the address in what is right, and the addresses of others.
 */
import { spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import dns from "dns-packet";

const [own, wrong, right, ...forged] = process.argv.slice(2);
const server = createSocket("udp4");
const other = createSocket("udp4");
const others = forged.map((address) => {
  const { status, stderr } = spawnSync("ip", ["address", "add", `${address}/32`, "dev", "lo"]);
  if (status !== 0) throw new Error(`${address} cannot be had: ${stderr}`);
  const socket = createSocket("udp4");
  socket.bind(53, address);
  return socket;
});

server.on("message", (bytes, { address, port }) => {
  const query = dns.decode(bytes);
  const [question] = query.questions;
  const answer = (data, more = {}) =>
    dns.encode({
      type: "response",
      id: query.id,
      questions: [question],
      answers: [{ type: "A", name: question.name, ttl: 60, data }],
      ...more,
    });
  const sent = [
    [server, answer(wrong, { id: query.id ^ 1 })],
    [server, answer(wrong, { questions: [{ ...question, name: `x.${question.name}` }] })],
    [server, answer(wrong).subarray(0, -3)],
    [other, answer(wrong)],
    ...others.map((socket) => [socket, answer(wrong)]),
  ];
  for (const [socket, message] of sent) socket.send(message, port, address);
  // Whoever asked has its answer: nothing is left to do.
  setTimeout(() => server.send(answer(right), port, address, () => process.exit()), 200);
});
other.bind(0, own);
server.bind(53, own, () => process.stdout.write("ready\n"));
