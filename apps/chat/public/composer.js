// Where one writes. A text that was sent is remembered until it has come back from the room, so that nothing is lost
// when the room refuses it or the connection breaks.

const form = document.querySelector("#composer");
const field = document.querySelector("#text");
const button = document.querySelector("#send");
const left = document.querySelector("#left");
const problem = document.querySelector("#send-error");
/** From here on the page says how many characters are left. */
const COUNT_FROM = 200;
const PROBLEM_SHOWN_MS = 6000;

let ready = false;
let longest = 2000;
const sent = [];
let problemTimer;

/** Calls `send(text)` for each message; the text is trimmed and not empty. */
export function onCompose(send) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!ready || text === "") return;
    sent.push(text);
    field.value = "";
    showProblem("");
    refresh();
    field.focus();
    send(text);
  });
}

/** Whether something can be sent; without a connection one may go on writing. */
export function setReady(value, textLength = longest) {
  ready = value;
  longest = textLength;
  field.maxLength = longest;
  refresh();
}

/** The room has said our oldest text to everybody. */
export function delivered() {
  sent.shift();
}

/** The room refused our oldest text: it comes back, unless something else is being written. */
export function refused(message) {
  giveBack([sent.shift() ?? ""]);
  showProblem(message);
}

/** The connection is gone: what was not heard comes back. */
export function lost() {
  giveBack(sent.splice(0));
}

export function focusComposer() {
  field.focus({ preventScroll: true });
}

function giveBack(texts) {
  const missing = texts.filter((text) => text !== "");
  if (missing.length === 0) return;
  field.value = [...missing, field.value]
    .filter((text) => text !== "")
    .join("\n")
    .slice(0, longest);
  refresh();
}

function showProblem(message) {
  clearTimeout(problemTimer);
  problem.textContent = message;
  if (message !== "") problemTimer = setTimeout(() => showProblem(""), PROBLEM_SHOWN_MS);
}

function refresh() {
  button.disabled = !ready || field.value.trim() === "";
  const rest = longest - field.value.length;
  left.textContent = rest <= COUNT_FROM ? String(rest) : "";
  left.classList.toggle("none", rest <= 0);
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

field.addEventListener("input", refresh);
field.addEventListener("keydown", (event) => {
  // While an input method composes a character, Enter accepts it.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});
