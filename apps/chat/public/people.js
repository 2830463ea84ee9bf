// Who is here: the list beside the conversation and the faces above it. Names are text, always.

const list = document.querySelector("#people-list");
const count = document.querySelector("#count");
const faces = document.querySelector("#faces");
const toggle = document.querySelector("#people-toggle");
const panel = document.querySelector("#people");
const FACES_SHOWN = 3;

/** A round picture with the first letter of a name, in a colour that the name always has. */
export function face(name) {
  const span = document.createElement("span");
  span.className = "face";
  span.textContent = ([...name][0] ?? "?").toUpperCase();
  span.style.setProperty("--hue", hue(name));
  span.setAttribute("aria-hidden", "true");
  return span;
}

/** One of eighteen hues, the same for the same name. */
export function hue(name) {
  let hash = 0x811c9dc5;
  for (const char of name) hash = Math.imul(hash ^ char.codePointAt(0), 0x01000193);
  return String((((hash >>> 0) % 9973) % 18) * 20);
}

/** Shows `people`, any number of `{ id, name }`, with `myId` first. */
export function showPeople(people, myId) {
  const sorted = [...people].sort(
    (a, b) => Number(b.id === myId) - Number(a.id === myId) || a.name.localeCompare(b.name),
  );
  list.replaceChildren(...sorted.map((person) => row(person, person.id === myId)));
  const others = sorted.filter((person) => person.id !== myId);
  faces.replaceChildren(...others.slice(0, FACES_SHOWN).map((person) => face(person.name)));
  count.textContent = String(sorted.length);
  toggle.setAttribute("aria-label", `${sorted.length} in the room`);
}

function row({ name }, isMe) {
  const item = document.createElement("li");
  const label = document.createElement("span");
  label.textContent = name;
  label.title = name;
  item.append(face(name), label);
  if (isMe) {
    const you = document.createElement("span");
    you.className = "you";
    you.textContent = "you";
    item.append(you);
  }
  return item;
}

function setOpen(open) {
  panel.classList.toggle("open", open);
  toggle.setAttribute("aria-expanded", String(open));
}

toggle.addEventListener("click", () => setOpen(!panel.classList.contains("open")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !panel.classList.contains("open")) return;
  setOpen(false);
  toggle.focus();
});
document.addEventListener("pointerdown", (event) => {
  if (!panel.contains(event.target) && !toggle.contains(event.target)) setOpen(false);
});
