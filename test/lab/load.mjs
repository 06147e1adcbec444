// Runs inside a pod: makes connections from a process of its own, so that its packets meet policy changes in mid-flight.
//   node load.mjs attempts ADDRESS PORT COUNT MILLISECONDS   prints {connected, silent, refused}; silent: not answered in time
//   node load.mjs hold ADDRESS PORT MILLISECONDS             keeps one connection busy; prints the time of each answer
import { connect } from "node:net";

const [mode, address, port, amount, patience] = process.argv.slice(2);
const AT_ONCE = 64;

function attempt() {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: Number(port) });
    const timer = setTimeout(() => end("silent"), Number(patience));
    const end = (outcome) => {
      clearTimeout(timer);
      // A reset would wait for the connection that never comes.
      if (outcome === "connected") socket.resetAndDestroy();
      else socket.destroy();
      resolve(outcome);
    };
    socket.once("connect", () => end("connected"));
    socket.once("error", () => end("refused"));
  });
}

async function attempts(count) {
  const seen = { connected: 0, silent: 0, refused: 0 };
  let left = count;
  const work = async () => {
    while (left-- > 0) seen[await attempt()]++;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  console.log(JSON.stringify(seen));
}

function hold(milliseconds) {
  const socket = connect({ host: address, port: Number(port) });
  const answers = [];
  socket.on("data", () => answers.push(Date.now()));
  socket.on("error", () => {});
  const timer = setInterval(() => socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 20);
  setTimeout(() => {
    clearInterval(timer);
    socket.resetAndDestroy();
    console.log(JSON.stringify(answers));
  }, milliseconds);
}

if (mode === "attempts") await attempts(Number(amount));
else hold(Number(amount));
