// The case page's comforts: open what a link points to, copy scripts, fold and print all checks.
"use strict";

const openTarget = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
    target.querySelector("summary").focus({ preventScroll: true });
  }
};
addEventListener("hashchange", openTarget);
openTarget();

const button = (label, act) => {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "copy";
  made.textContent = label;
  made.addEventListener("click", act);
  return made;
};

// A page that is opened as a file has no clipboard in some browsers: then select and copy.
const copy = async (element) => {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return document.execCommand("copy");
  }
};
for (const script of document.querySelectorAll(".script")) {
  const code = script.querySelector("code");
  const made = button("Copy", async () => {
    made.textContent = (await copy(code)) ? "Copied" : "Selected: press Ctrl+C";
    setTimeout(() => (made.textContent = "Copy"), 2000);
  });
  made.setAttribute("aria-live", "polite");
  script.querySelector("pre").before(made);
}

const checks = [...document.querySelectorAll(".check")];
if (checks.length > 1) {
  const folding = document.createElement("span");
  folding.className = "folding";
  folding.append(
    button("Open all", () => checks.forEach((check) => (check.open = true))),
    button("Close all", () => checks.forEach((check) => (check.open = false))),
  );
  document.getElementById("checks").append(folding);
}

// On paper nothing can be unfolded.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach((details) => (details.open = true));
});
addEventListener("afterprint", () => folded.forEach((details) => (details.open = false)));
