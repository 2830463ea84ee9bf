// The conversation. Whatever came from somebody else goes in through textContent: it is text, never HTML.

import { face, hue } from "./people.js";

const scroll = document.querySelector("#scroll");
const log = document.querySelector("#log");
const newest = document.querySelector("#newest");

/** Messages of one person within this time stand together under one name. */
const TOGETHER_MS = 5 * 60_000;
/** What a page keeps; the oldest lines go first. */
const LINES_KEPT = 1000;
/** How far from the end counts as "reading the end". */
const NEAR_END_PX = 80;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

let last = { day: "", personId: undefined, at: 0 };

/** Empties the conversation. */
export function clearLog() {
  last = { day: "", personId: undefined, at: 0 };
  newest.hidden = true;
  const empty = document.createElement("li");
  empty.className = "empty";
  empty.textContent = "It is quiet here. Say something.";
  log.replaceChildren(empty);
}

/** Adds many lines at once without reading them all aloud. */
export function quietly(fill) {
  scroll.ariaLive = "off";
  fill();
  setTimeout(() => {
    scroll.ariaLive = "polite";
  }, 500);
}

/** Adds a message. `fresh`: it was said just now, not found on arrival. */
export function addMessage({ from, text, at }, { mine, fresh }) {
  const stick = mine || nearEnd();
  addDay(at);
  const follows = last.personId === from.id && at - last.at < TOGETHER_MS;
  const line = document.createElement("li");
  line.className = `line${mine ? " mine" : ""}${follows ? " follows" : ""}${fresh ? " fresh" : ""}`;
  line.style.setProperty("--hue", hue(from.name));
  const who = document.createElement("span");
  who.className = "who";
  who.textContent = from.name;
  const bubble = document.createElement("div");
  bubble.className = "bubble";
  bubble.dir = "auto";
  const words = document.createElement("span");
  words.textContent = text;
  bubble.append(words, time(at));
  if (follows) line.append(speaker(mine ? "You" : from.name), bubble);
  else line.append(face(from.name), mine ? speaker("You") : who, bubble);
  add(line, stick);
  last = { day: last.day, personId: from.id, at };
}

/** Adds a line about the room: who came, who left, a new connection. */
export function addEvent(text, at) {
  const stick = nearEnd();
  addDay(at);
  const line = document.createElement("li");
  line.className = "event";
  line.textContent = text;
  add(line, stick);
  last = { day: last.day, personId: undefined, at };
}

/** Goes to the last line. */
export function scrollToEnd() {
  scroll.scrollTop = scroll.scrollHeight;
  newest.hidden = true;
}

/** Who says this, for those who listen: on the screen the place of the bubble tells. */
function speaker(name) {
  const span = document.createElement("span");
  span.className = "visually-hidden";
  span.textContent = `${name}: `;
  return span;
}

function add(line, stick) {
  log.querySelector(".empty")?.remove();
  log.append(line);
  while (log.childElementCount > LINES_KEPT) log.firstElementChild.remove();
  if (stick) scrollToEnd();
  else newest.hidden = false;
}

function addDay(at) {
  const day = new Date(at).toDateString();
  if (day === last.day) return;
  const today = day === new Date().toDateString();
  last = { day, personId: undefined, at: 0 };
  const line = document.createElement("li");
  line.className = "day";
  line.textContent = today ? "Today" : calendar.format(at);
  log.append(line);
}

function time(at) {
  const element = document.createElement("time");
  element.dateTime = new Date(at).toISOString();
  element.textContent = clock.format(at);
  element.title = new Date(at).toLocaleString();
  return element;
}

function nearEnd() {
  return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END_PX;
}

newest.addEventListener("click", scrollToEnd);
// Not every browser lets the keyboard into what scrolls.
scroll.tabIndex = 0;
scroll.addEventListener("scroll", () => {
  if (nearEnd()) newest.hidden = true;
});
// The keyboard of a phone takes half of the window: the end stays in sight.
let height = scroll.clientHeight;
new ResizeObserver(() => {
  const shrunk = height - scroll.clientHeight;
  height = scroll.clientHeight;
  if (shrunk > 0 && scroll.scrollHeight - scroll.scrollTop - height < NEAR_END_PX + shrunk) scrollToEnd();
}).observe(scroll);
