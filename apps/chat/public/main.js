// The page: a door, a room, and what the server says about both. protocol.ts on the server is the other half.

import { delivered, focusComposer, lost, onCompose, refused, setReady } from "./composer.js";
import { Connection } from "./connection.js";
import { addEvent, addMessage, clearLog, quietly, scrollToEnd } from "./log.js";
import { showPeople } from "./people.js";

const find = (selector) => document.querySelector(selector);
const door = find("#welcome");
const room = find("#chat");
const nameField = find("#name");
const enter = find("#join button");
const status = find("#status");
const notice = find("#notice");
const title = document.title;

let me; // { id, name, key } while we are in the room
let run = ""; // which life of the server the lines on the page come from
let lastId = 0;
let people = new Map();
let unread = 0;
let countdown;
/** Ids we have had, also before the page was loaded again: what they said is ours. */
const mine = new Set(JSON.parse(sessionStorage.getItem("ids") ?? "[]"));

const url = new URL("/socket", location.href);
url.protocol = url.protocol === "https:" ? "wss:" : "ws:";

const connection = new Connection(url, {
  open: () => connection.send({ type: "join", name: nameField.value.trim(), ...(me && { key: me.key }) }),
  message: (message) => receive[message.type]?.(message),
  wait: (retryAt) => {
    lost();
    setReady(false);
    if (me === undefined) return backToDoor("The room cannot be reached. Is the server running?");
    setStatus("waiting", "Offline");
    notice.hidden = false;
    const tell = () => {
      const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
      find("#notice-text").textContent = `The connection is lost. Trying again in ${seconds} s.`;
    };
    tell();
    clearInterval(countdown);
    countdown = setInterval(tell, 1000);
  },
  retrying: () => {
    clearInterval(countdown);
    find("#notice-text").textContent = "Connecting…";
    setStatus("connecting", "Connecting…");
  },
  end: (_code, reason) => backToDoor(reason || "The room closed the connection."),
});

const receive = {
  welcome(message) {
    const returning = me !== undefined;
    me = message.you;
    mine.add(me.id);
    sessionStorage.setItem("ids", JSON.stringify([...mine].slice(-50)));
    people = new Map(message.people.map((person) => [person.id, person]));
    showRoom();
    if (!returning || run !== message.run) {
      clearLog();
      lastId = 0;
    }
    run = message.run;
    quietly(() => {
      for (const old of message.history) if (old.id > lastId) show(old, false);
    });
    if (returning) addEvent("You are back.", Date.now());
    else scrollToEnd();
    setReady(true, message.limits.textLength);
  },
  message(message) {
    if (message.from.id === me.id) delivered();
    show(message, true);
    if (document.hidden) setUnread(unread + 1);
  },
  joined({ person, at }) {
    people.set(person.id, person);
    showPeople(people.values(), me.id);
    addEvent(`${person.name} came in`, at);
  },
  left({ person, at }) {
    people.delete(person.id);
    showPeople(people.values(), me.id);
    addEvent(`${person.name} left`, at);
  },
  refused({ message }) {
    if (me === undefined) backToDoor(message);
    else refused(message);
  },
};

function show(message, fresh) {
  lastId = message.id;
  addMessage(message, { mine: mine.has(message.from.id), fresh });
}

function showRoom() {
  door.hidden = true;
  room.hidden = false;
  notice.hidden = true;
  clearInterval(countdown);
  setStatus("open", `You are ${me.name}`);
  showPeople(people.values(), me.id);
  focusComposer();
}

function backToDoor(why) {
  connection.close();
  clearInterval(countdown);
  me = undefined;
  setReady(false);
  room.hidden = true;
  door.hidden = false;
  enter.disabled = false;
  find("#join-error").textContent = why;
  nameField.setAttribute("aria-invalid", String(why !== ""));
  nameField.focus();
}

function setStatus(state, text) {
  status.dataset.state = state;
  status.textContent = text;
}

function setUnread(count) {
  unread = count;
  document.title = count === 0 ? title : `(${count}) ${title}`;
}

find("#join").addEventListener("submit", (event) => {
  event.preventDefault();
  if (nameField.value.trim() === "") return backToDoor("Please choose a name.");
  localStorage.setItem("name", nameField.value.trim());
  find("#join-error").textContent = "";
  nameField.removeAttribute("aria-invalid");
  enter.disabled = true;
  connection.connect();
});
find("#retry").addEventListener("click", () => connection.retry());
find("#leave").addEventListener("click", () => backToDoor(""));
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) setUnread(0);
});
onCompose((text) => connection.send({ type: "say", text }));

nameField.value = localStorage.getItem("name") ?? "";
nameField.focus();
