// The page: one search box, its answers, and the same search by words alone beside them. No framework, nothing from
// elsewhere. Texts of listings only ever become text nodes, never markup.

const SHOWN = 24; // hits on the page
const RELATED = 6; // queries to try next
const MAX_PHOTO = 20 * 2 ** 20;
const SOURCES = { lexical: "words", semantic: "meaning", visual: "photo" };

const $ = (id) => document.getElementById(id);
const main = document.querySelector("main");
const money = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const whole = new Intl.NumberFormat();

// category: the id of the only category searched; away: ids of those that were clicked away.
const state = { query: "", compare: false, category: null, away: new Set(), photo: null, result: null };
const service = { listings: 0, photos: false };
let latest = 0; // number of the newest search: answers to older ones are dropped

// ---- asking the service

const SILENT = "The service does not answer. Try again.";

async function ask(path, options) {
  const answer = await fetch(path, options).catch(() => null);
  if (answer === null) throw new Error(SILENT);
  const body = await answer.json().catch(() => null); // a proxy answers in its own way
  if (!answer.ok || body === null) throw new Error(body?.error ?? `the answer was no answer of the service (${answer.status})`);
  return body;
}

const get = (path, parameters) => ask(`${path}?${new URLSearchParams(parameters)}`);
const post = (path, body) =>
  ask(path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
let told = null; // what the service is, once it has said so
const ready = () => {
  told ??= ask("/health/ready")
    .then(({ listings, photos }) => Object.assign(service, { listings, photos }))
    .catch(() => (told = null));
  return told;
};

// ---- making elements

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function show(node, ...children) {
  node.replaceChildren(...children);
  node.hidden = children.length === 0;
}

const leaf = (path) => path.split(" > ").at(-1);
const sentence = (text) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
const percent = (share) => `${Math.round(share * 100)} %`;

// ---- hits

function picture(hit) {
  const blank = element("span", { class: "picture blank", "aria-hidden": "true" }, leaf(hit.category).slice(0, 1) || "·");
  if (!hit.image || !service.photos) return blank;
  const source = "/images/" + hit.image.split("/").map(encodeURIComponent).join("/");
  const image = element("img", { src: source, alt: "", loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.parentNode.replaceWith(blank));
  return element("span", { class: "picture" }, image);
}

function sureness(hit) {
  if (hit.relevance === null && hit.source === "lexical") return null;
  const share = hit.relevance ?? Math.max(0, hit.score);
  const bar = element("i");
  bar.style.width = percent(share).replace(" ", "");
  const words = hit.relevance === null ? `${percent(share)} alike` : `${percent(share)} sure`;
  return element("span", { class: "sure" }, element("span", { class: "bar", "aria-hidden": "true" }, bar), words);
}

// What brought it here; the words of the corrected query are words, too.
function source(hit) {
  const corrected = state.result?.fallback?.corrected_query;
  return hit.source === "semantic" && corrected && hit.reason.includes(`“${corrected}”`) ? "spelling" : SOURCES[hit.source];
}

function card(hit) {
  const why = element(
    "span",
    { class: "why" },
    element("b", { class: `source ${hit.source}` }, source(hit)),
    ` ${hit.reason}`,
  );
  const button = element(
    "button",
    { class: "card", "data-id": hit.listing_id, onclick: () => open(hit) },
    picture(hit),
    element(
      "span",
      { class: "about" },
      element("span", { class: "title" }, hit.title || leaf(hit.category)),
      element("span", { class: "price" }, hit.price === null ? "" : money.format(hit.price)),
      element("span", { class: "category", title: hit.category }, leaf(hit.category)),
      why,
      sureness(hit),
    ),
  );
  return element("li", {}, button);
}

const list = (section, hits) => section.querySelector(".hits").replaceChildren(...hits.map(card));

// ---- a search

// remember: whether it becomes a step of the history; focus: a selector of what has the focus afterwards, if the focus
// was on something that is drawn anew; top: how far down the page was when it was left.
async function search({ remember = true, focus = null, top = null } = {}) {
  const number = ++latest;
  closeSuggestions();
  if (remember) {
    history.replaceState({ ...history.state, top: scrollY }, "");
    history.pushState(state.photo && { photo: photos.push(state.photo) - 1 }, "", address());
  }
  main.setAttribute("aria-busy", "true");
  $("compare").checked = state.compare;
  $("compare").closest("label").hidden = state.photo !== null; // words alone find nothing by a photo
  document.title = state.query ? `${state.query} · relevance` : "relevance";
  // Only what is drawn waits for the service: what is typed meanwhile stays.
  await ready();
  if (number !== latest) return;
  try {
    const drawing = await answer();
    if (number !== latest) return;
    redraw(drawing, focus);
    if (top !== null) scrollTo(0, top);
  } catch (error) {
    if (number === latest) fail(error);
  }
}

function address() {
  const parameters = new URLSearchParams();
  if (state.query) parameters.set("q", state.query);
  if (state.category) parameters.set("category", state.category);
  for (const id of state.away) parameters.append("not", id);
  if (state.compare) parameters.set("compare", "1");
  return parameters.size ? `/?${parameters}` : "/";
}

// How to draw the answer to what is searched now.
function answer() {
  if (state.photo) return answerToPhoto();
  return state.query ? answerToWords() : welcome;
}

async function answerToWords() {
  const { query, compare } = state;
  const number = latest;
  const filters = { ...(state.category && { category: state.category }), ...(state.away.size && { not_categories: [...state.away] }) };
  const related = get("/related", { q: query, k: RELATED }).catch(() => []); // an extra: the answer does not wait for it
  const [result, words] = await Promise.all([
    post("/search", { query, k: SHOWN, filters }),
    compare ? post("/lexical", { query, k: SHOWN, filters }) : null,
  ]);
  return () => {
    state.result = result;
    draw(result, words);
    related.then((found) => number === latest && drawRelated(found, result.abstained));
  };
}

function draw(result, words) {
  drawChips(result.category_filter);
  drawNotice(result);
  $("engine").hidden = false;
  $("engine-title").replaceChildren(...heading(result));
  list($("engine"), result.hits);
  $("columns").classList.toggle("compare", words !== null);
  $("words").hidden = words === null;
  if (words === null) return;
  $("words-title").textContent = `Words alone: ${words.length ? amount(words).toLowerCase() : "nothing found"}`;
  list($("words"), words);
}

const amount = (hits) => {
  return hits.length >= SHOWN ? `The first ${SHOWN} listings` : amountOf(hits.length);
};
const amountOf = (count) => (count === 1 ? "1 listing" : `${whole.format(count)} listings`);

function heading(result) {
  if (result.abstained) return nothing(result.query);
  const took = Object.values(result.timings).reduce((sum, stage) => sum + stage, 0);
  const found = state.compare ? `With relevance: ${amount(result.hits).toLowerCase()}` : amount(result.hits);
  return [found, element("small", {}, ` in ${took.toFixed(1)} ms`)];
}

function nothing(query) {
  const [what, where] = state.away.size
    ? ["Nothing else like that here", "Outside of what was clicked away no listing"]
    : ["Nothing like that here", service.listings ? `None of the ${whole.format(service.listings)} listings` : "No listing"];
  return [element("span", { class: "nothing" }, what), element("small", {}, `${where} answers “${query}” well enough to be shown.`)];
}

function drawNotice(result) {
  const fallback = result.fallback;
  if (!fallback || result.abstained) return show($("notice"));
  const said = [`${sentence(fallback.trigger)} `];
  if (fallback.corrected_query) said.push("Read as ", link(fallback.corrected_query), ". ");
  if (fallback.relaxed.length) said.push(`Left out to find these: ${fallback.relaxed.join(", ")}. `);
  said.push("These come closest:");
  show($("notice"), ...said);
}

function drawRelated(queries, abstained) {
  const title = element("h2", { id: "related-title" }, abstained ? "Try instead" : "Related searches");
  const links = queries.map((query) => element("li", {}, link(query)));
  show($("related"), ...(links.length ? [title, element("ul", {}, ...links)] : []));
}

function link(query) {
  const go = (event) => {
    event.preventDefault();
    start(query);
  };
  return element("a", { href: `/?${new URLSearchParams({ q: query })}`, onclick: go }, query);
}

// ---- categories

function drawChips(filter) {
  const known = filter.categories.filter((category) => !state.away.has(category.category_id));
  const chips = known.map(chip);
  if (state.category && !known.some((category) => category.category_id === state.category)) {
    chips.unshift(element("button", { class: "undo", onclick: () => restrict(null) }, "Only one category · show all"));
  }
  chips.push(...[...state.away].map((id) => awayChip(id, filter)));
  if (known.length) chips.unshift(element("span", { class: "label" }, filter.mode === "filter" ? "Understood as" : "Perhaps"));
  show($("chips"), ...chips);
}

function chip(category) {
  const { category_id: id, path, probability } = category;
  const only = state.category === id;
  const away = () => {
    state.away.add(id);
    if (only) state.category = null;
    search({ focus: control("undo", id) });
  };
  return element(
    "span",
    { class: "chip" },
    element(
      "button",
      { class: "only", title: path, "aria-pressed": String(only), "data-only": id, onclick: () => restrict(only ? null : id, id) },
      `${leaf(path)} `,
      element("b", {}, percent(probability)),
    ),
    element("button", { class: "away", "aria-label": `Not ${leaf(path)}`, title: `Not ${leaf(path)}`, onclick: away }, "×"),
  );
}

// The categories of a query are the same whatever is clicked away, so its name is among them.
function awayChip(id, filter) {
  const path = filter.categories.find((category) => category.category_id === id)?.path ?? id;
  const back = () => {
    state.away.delete(id);
    search({ focus: control("only", id) });
  };
  return element("button", { class: "undo", title: path, "data-undo": id, onclick: back }, `Not ${leaf(path)} · undo`);
}

const control = (name, id) => `[data-${name}="${CSS.escape(id)}"]`;

function restrict(category, clicked = null) {
  state.category = category;
  search({ focus: clicked && control("only", clicked) });
}

// ---- photos

async function answerToPhoto() {
  const { photo } = state;
  const hits = await ask(`/similar?k=${SHOWN}`, { method: "POST", body: photo });
  return () => {
    const source = URL.createObjectURL(photo);
    const image = element("img", { src: source, alt: "Your photo", onload: () => URL.revokeObjectURL(source) });
    const leave = () => start("");
    show($("asked"), image, element("span", {}, "Listings that look like your photo"), element("button", { class: "undo", onclick: leave }, "Clear"));
    $("engine").hidden = false;
    $("engine-title").textContent = hits.length ? amount(hits) : "Nothing here looks like it";
    list($("engine"), hits);
  };
}

const photos = []; // those that were searched by: steps of the history name them by number

// What cannot be searched by leaves what is shown as it is.
async function take(file) {
  if (!file) return;
  $("detail").close();
  if (file.size > MAX_PHOTO) return complain(`“${file.name}” is larger than ${MAX_PHOTO / 2 ** 20} MB`);
  const number = latest;
  const bitmap = await createImageBitmap(file).catch(() => null);
  bitmap?.close();
  if (number !== latest) return; // something else was searched meanwhile
  if (bitmap === null) return complain(`“${file.name}” is not a photo`);
  become({ photo: file });
  search();
}

// ---- a listing and what looks like it

async function open(hit) {
  const dialog = $("detail");
  const about = element(
    "div",
    {},
    element("h2", { id: "detail-title" }, hit.title || leaf(hit.category)),
    element("p", { class: "price" }, hit.price === null ? "" : money.format(hit.price)),
    element("p", { class: "category" }, hit.category),
  );
  dialog.querySelector(".listing").replaceChildren(picture(hit), about);
  dialog.querySelector(".hits").replaceChildren();
  if (!dialog.open) dialog.showModal();
  dialog.querySelector(".close").focus(); // the card that was clicked may be gone
  dialog.scrollTop = 0;
  const title = $("similar-title");
  title.textContent = "Looks alike";
  const name = encodeURIComponent(hit.listing_id);
  try {
    const [listing, hits] = await Promise.all([ask(`/listings/${name}`), ask(`/similar/${name}?k=12`)]);
    if ($("detail-title") !== about.firstChild) return;
    const values = Object.entries(listing.attributes).map(([key, value]) => `${key}: ${[value].flat().join(", ")}`);
    about.append(element("p", {}, listing.description), element("p", { class: "category" }, values.join(" · ")));
    title.textContent = hits.length ? "Looks alike" : "It has no usable photo, so nothing can look like it";
    list(dialog, hits);
  } catch (error) {
    if ($("detail-title") === about.firstChild) title.textContent = error.message;
  }
}

// ---- suggestions

let suggested = [];
let marked = -1;
let waiting = 0;
let asking = 0; // number of the newest question: answers to older ones, and to those of before it was closed, are dropped

async function suggest() {
  const typed = $("query").value;
  if (!typed.trim()) return closeSuggestions();
  const number = ++asking;
  const found = await get("/suggest", { q: typed }).catch(() => []);
  if (number !== asking || document.activeElement !== $("query")) return;
  suggested = found;
  marked = -1;
  const options = found.map((one, i) => {
    const note = one.category ? `in ${one.category.split(" > ").slice(0, -1).join(" › ") || "all categories"}` : amountOf(one.listings);
    // Before the box loses the focus, and with it its suggestions.
    const pick = (event) => {
      event.preventDefault();
      if (event.button === 0) start(one.text);
    };
    return element("li", { role: "option", id: `suggestion-${i}`, onpointerdown: pick }, one.text, element("small", {}, note));
  });
  show($("suggestions"), ...options);
  $("query").setAttribute("aria-expanded", String(options.length > 0));
}

function mark(step) {
  const options = [...$("suggestions").children];
  if (!options.length) return;
  marked = (marked + step + options.length + 1) % (options.length + 1);
  options.forEach((option, i) => option.setAttribute("aria-selected", String(i === marked)));
  $("query").setAttribute("aria-activedescendant", marked < options.length ? `suggestion-${marked}` : "");
}

function closeSuggestions() {
  clearTimeout(waiting);
  asking += 1;
  suggested = [];
  marked = -1;
  show($("suggestions"));
  $("query").setAttribute("aria-expanded", "false");
  $("query").removeAttribute("aria-activedescendant");
}

// ---- the page as a whole

// Draws all under the search box anew. What had the focus there is gone then, and a keyboard would begin at the top.
function redraw(drawing, focus = null) {
  const held = main.contains(document.activeElement);
  clear();
  drawing();
  main.removeAttribute("aria-busy");
  // A reader of screens is told once and in one go: what was made of the query, and what was found.
  $("told").textContent = [$("notice"), $("engine-title")].map((node) => (node.closest("[hidden]") ? "" : node.textContent)).join(" ");
  if (!held) return;
  const next = focus && document.querySelector(focus);
  (next || ($("engine").hidden ? $("query") : $("engine-title"))).focus({ preventScroll: true });
}

function clear() {
  for (const id of ["welcome", "asked", "chips", "notice", "related"]) show($(id));
  for (const id of ["engine", "words"]) {
    $(id).hidden = true;
    list($(id), []);
  }
  $("notice").classList.remove("error");
  $("columns").classList.remove("compare");
}

function welcome() {
  const count = service.listings ? `${amountOf(service.listings)}. ` : "";
  show($("welcome"), `${count}Type what you are looking for, or show a photo of it: choose, drop or paste one.`);
}

function fail(error) {
  const why = error.message === SILENT ? SILENT : `That did not work: ${error.message}`;
  redraw(() => {
    drawChips({ categories: [], mode: "none" }); // what is searched may be what did not work, and can be undone
    $("notice").classList.add("error");
    show($("notice"), why);
  });
}

function complain(why) {
  $("notice").classList.add("error");
  show($("notice"), `That did not work: ${why}`);
  $("told").textContent = $("notice").textContent;
}

// What is searched from now on, and nothing of what was; the box tells it.
function become({ query = "", category = null, away = [], photo = null }) {
  Object.assign(state, { query, category, away: new Set(away), photo });
  $("query").value = query;
}

function start(query) {
  become({ query: query.trim() });
  search();
  scrollTo(0, 0); // the next answer begins at the top, also after a link under this one
}

function readAddress({ state: step } = history) {
  const parameters = new URLSearchParams(location.search);
  state.compare = parameters.get("compare") === "1";
  const photo = photos[step?.photo] ?? null; // gone after a reload
  become({ query: parameters.get("q") ?? "", category: parameters.get("category"), away: parameters.getAll("not"), photo });
  $("detail").close();
  search({ remember: false, top: step?.top ?? null });
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  start(suggested[marked]?.text ?? $("query").value);
  // A phone's keyboard would cover the answer.
  if (matchMedia("(pointer: coarse)").matches) $("query").blur();
});
$("query").addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(suggest, 60);
});
$("query").addEventListener("blur", closeSuggestions);
$("query").addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    mark(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Escape") {
    if (!$("suggestions").hidden) event.preventDefault(); // the first one closes the list, the next one empties the box
    closeSuggestions();
  }
});
$("compare").addEventListener("change", () => {
  state.compare = $("compare").checked;
  search();
});
$("photo").addEventListener("change", () => {
  take($("photo").files[0]);
  $("photo").value = "";
});
$("detail").addEventListener("click", (event) => {
  if (event.target === $("detail") || event.target.closest(".close")) $("detail").close();
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea") || $("detail").open;
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    $("query").select();
  }
});
// Office programs put a picture of a text beside it.
const texted = (data) => data.types.includes("text/plain");
document.addEventListener("paste", (event) => texted(event.clipboardData) || take(event.clipboardData.files[0]));
document.addEventListener("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  $("drop").hidden = false;
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) $("drop").hidden = true;
});
document.addEventListener("drop", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  $("drop").hidden = true;
  take(event.dataTransfer.files[0]);
});
history.scrollRestoration = "manual"; // what is scrolled is drawn later
addEventListener("popstate", readAddress);

readAddress();
