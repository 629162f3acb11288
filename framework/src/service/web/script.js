// The page of `kindred serve`: sends a picture, or names an image of the gallery, and shows what was found.
"use strict";

const part = (id) => document.getElementById(id);
const defaults = { top: 20 };
let query = null;      // { file } or { id }
let matches = [];      // of the last search
let searches = 0;      // numbers them, so that a late answer does not replace a later one
let previewAddress = null;

const count = (number, one, many) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

function showProblem(text) {
  part("problem").textContent = text;
  part("problem").hidden = text === "";
}

// Throws an Error with the service's own message.
async function ask(address, options) {
  let answer;
  try {
    answer = await fetch(address, options);
  } catch {
    throw new Error("The service does not answer. Is it still running?");
  }
  let content = null;
  try {
    content = await answer.json();
  } catch {
    // Told by the status.
  }
  if (!answer.ok) throw new Error((content && content.error) || `The service answered with ${answer.status}.`);
  return content;
}

function wantedParameters() {
  const wanted = new URLSearchParams();
  const top = part("top");
  wanted.set("top", top.value !== "" && top.checkValidity() ? top.value : defaults.top);
  const boxes = [...part("camera-list").querySelectorAll("input")];
  if (boxes.some((box) => !box.checked)) {
    for (const box of boxes) if (box.checked) wanted.append("camera", box.value);
  }
  for (const name of ["from", "until"]) {
    // The field holds local time.
    if (part(name).value !== "") wanted.set(name, new Date(part(name).value).toISOString());
  }
  return wanted;
}

async function search() {
  if (query === null) return;
  const number = ++searches;
  const wanted = wantedParameters();
  const boxes = [...part("camera-list").querySelectorAll("input")];
  if (boxes.length > 0 && boxes.every((box) => !box.checked)) {
    matches = [];
    showProblem("");
    showMatches("No camera is chosen.");
    return;
  }
  part("results").classList.add("waiting");
  part("status").textContent = "Searching…";
  try {
    let answer;
    if (query.file) {
      if (!part("taken").hidden) wanted.set("picture_camera", part("picture-camera").value);
      answer = await ask(`/api/v1/search?${wanted}`, {
        method: "POST",
        headers: { "Content-Type": "application/octet-stream" },
        body: query.file,
      });
    } else {
      wanted.set("id", query.id);
      answer = await ask(`/api/v1/similar?${wanted}`);
    }
    if (number !== searches) return;
    matches = answer.matches;
    showProblem("");
    showMatches(null, answer);
  } catch (error) {
    if (number !== searches) return;
    matches = [];
    showProblem(error.message);
    showMatches("Nothing was searched.");
  } finally {
    if (number === searches) part("results").classList.remove("waiting");
  }
}

function factsOf(match) {
  const facts = [];
  if (match.label !== null) facts.push(match.label);
  if (match.camera !== null) facts.push(`camera ${match.camera}`);
  if (match.time !== null) facts.push(new Date(match.time).toLocaleString());
  return facts.join(", ");
}

function element(match, rank) {
  const item = part("match").content.cloneNode(true).firstElementChild;
  const image = item.querySelector("img");
  const facts = factsOf(match);
  const none = () => {
    image.hidden = true;
    item.querySelector(".no-picture").hidden = false;
  };
  image.addEventListener("error", none);
  if (match.thumbnail === null) {
    none();
  } else {
    image.src = match.thumbnail;
    image.alt = `Number ${rank}${facts === "" ? "" : ", " + facts}`;
  }
  item.querySelector(".rank").textContent = rank;
  item.querySelector(".similarity").textContent = match.similarity.toFixed(2);
  item.querySelector(".bar span").style.width = `${100 * Math.max(0, Math.min(1, match.similarity))}%`;
  item.querySelector(".facts").textContent = facts;
  item.querySelector(".id").textContent = match.id;
  const again = item.querySelector(".again");
  again.setAttribute("aria-label", `Search with number ${rank}, ${match.id}`);
  again.addEventListener("click", () => searchWith(match));
  return item;
}

// The threshold chooses among what was found, without another search.
function showMatches(text, answer) {
  const least = Number(part("threshold").value);
  const shown = matches.filter((match) => match.similarity >= least);
  part("results").replaceChildren(...shown.map((match, place) => element(match, place + 1)));
  if (text !== null) {
    part("status").textContent = text;
    return;
  }
  const of = shown.length === matches.length ? "" : ` of ${matches.length} found`;
  const time = answer ? `, searched in ${Math.max(1, Math.round(1000 * answer.seconds))} ms` : "";
  part("status").textContent =
    shown.length === 0 ? `No image is similar enough${of === "" ? "" : `: 0${of}`}.` : `${count(shown.length, "image", "images")}${of}${time}`;
}

function showPreview(address, description) {
  if (previewAddress !== null) URL.revokeObjectURL(previewAddress);
  previewAddress = address !== null && address.startsWith("blob:") ? address : null;
  const preview = part("preview");
  preview.hidden = address === null;
  if (address !== null) preview.src = address;
  preview.alt = description;
  part("drop-text").textContent = description;
}

function take(file) {
  if (!file) return;
  query = { file };
  showPreview(URL.createObjectURL(file), file.name || "pasted picture");
  search();
}

function searchWith(match) {
  query = { id: match.id };
  part("file").value = "";
  showPreview(match.thumbnail, match.id);
  part("results").focus();
  window.scrollTo({ top: 0 });
  search();
}

async function start() {
  try {
    const gallery = await ask("/api/v1/gallery");
    const cameras = gallery.cameras;
    part("gallery-text").textContent =
      count(gallery.images, "image", "images") + (cameras.length > 0 ? ` of ${count(cameras.length, "camera", "cameras")}` : "");
    part("version").textContent = `Kindred ${gallery.version}`;
    defaults.top = gallery.top;
    part("top").max = gallery.most_matches;
    part("top").defaultValue = gallery.top;
    part("top").value = gallery.top;
    part("times").hidden = !gallery.times;
    part("cameras").hidden = cameras.length < 2;
    part("taken").hidden = !gallery.picture_camera || cameras.length === 0;
    part("picture-camera").append(...cameras.map((camera) => new Option(camera, camera)));
    for (const camera of cameras.length < 2 ? [] : cameras) {
      const label = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.value = camera;
      box.defaultChecked = true;
      label.append(box, String(camera));
      part("camera-list").append(label);
    }
  } catch (error) {
    showProblem(error.message);
  }
}

let delay = null;
function searchSoon() {
  clearTimeout(delay);
  delay = setTimeout(search, 150);
}

part("file").addEventListener("change", (event) => take(event.target.files[0]));
// What cannot be shown may still be searched with.
part("preview").addEventListener("error", () => { part("preview").hidden = true; });
part("controls").addEventListener("submit", (event) => event.preventDefault());
part("controls").addEventListener("reset", () => setTimeout(() => {
  part("threshold-text").textContent = "0.00";
  search();
}));
part("controls").addEventListener("input", (event) => {
  if (event.target.id !== "threshold") {
    searchSoon();
    return;
  }
  part("threshold-text").textContent = Number(event.target.value).toFixed(2);
  if (matches.length > 0) showMatches(null);
});
// A picture that misses its place must not replace the page.
for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
document.addEventListener("dragover", () => part("drop").classList.add("over"));
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) part("drop").classList.remove("over");
});
document.addEventListener("drop", (event) => {
  part("drop").classList.remove("over");
  take(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => take(event.clipboardData.files[0]));
start();
