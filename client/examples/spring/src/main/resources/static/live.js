// Shows what comes by WebSocket, and sends what is typed.

const RECONNECT_MS = 1000;
const MOST_SHOWN = 200;

const connection = document.getElementById("connection");
const messages = document.getElementById("messages");
const received = document.getElementById("received");
const problem = document.getElementById("problem");
const text = document.getElementById("text");

function connect() {
  const socket = new WebSocket(new URL("live", location.href.replace(/^http/, "ws")));
  socket.onopen = () => say("open", "live");
  socket.onmessage = ({ data }) => show(data);
  socket.onclose = () => {
    say("closed", "connecting again");
    setTimeout(connect, RECONNECT_MS);
  };
}

function say(state, words) {
  connection.dataset.state = state;
  connection.textContent = words;
}

function show(message) {
  const item = document.createElement("li");
  item.textContent = message; // As text: what others wrote is never markup.
  messages.prepend(item);
  if (messages.children.length > MOST_SHOWN) messages.lastElementChild.remove();
  received.textContent = String(Number(received.textContent) + 1);
}

async function send() {
  const response = await fetch("messages", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text: text.value }),
  });
  if (!response.ok) throw new Error(`the application answers ${response.status}`);
  text.value = "";
}

document.getElementById("send").addEventListener("submit", (event) => {
  event.preventDefault();
  problem.textContent = "";
  send().catch((error) => (problem.textContent = `Not sent: ${error.message}`));
});

connect();
