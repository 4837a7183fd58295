// Check yourself: a reader decides on each sentence before its answer unfolds, says whether that was so, and is counted.

const STATEMENT = /^\s*[“"„]/;

function button(text, press) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  made.addEventListener("click", press);
  return made;
}

// What is asked before the answer, and after it: of sentences that may hold, and of sentences of which all are wrong.
const HOLDS = { before: "Decide first:", choices: ["right", "wrong"], after: "Does the answer say so too?" };
const WHY = { before: "Why is it wrong?", choices: ["I know why", "I am not sure"], after: "Is it the reason that you had in mind?" };

/** The row below one sentence: first the decision, then whether the answer agrees. */
function ask(fold, { before, choices, after }, count) {
  const row = Object.assign(document.createElement("p"), { className: "sepbook-decide d-print-none" });
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", `Your decision: ${fold.querySelector("summary").textContent.trim()}`);
  const result = { decided: false, agreed: false };

  function settle(said, agreed) {
    result.agreed = agreed;
    row.replaceChildren(`You said “${said}”${agreed ? ", and so it is" : ""}.`);
    count();
  }

  function decide(said) {
    result.decided = fold.open = true;
    count();
    if (said === "I am not sure") return settle(said, false);
    const yes = button("yes", () => settle(said, true));
    row.replaceChildren(`You said “${said}”. ${after} `, yes, " ", button("no", () => settle(said, false)));
    yes.focus();
  }

  row.replaceChildren(`${before} `, button(choices[0], () => decide(choices[0])), " ", button(choices[1], () => decide(choices[1])));
  fold.addEventListener("toggle", () => fold.open && !result.decided && row.remove()); // who has looked need not decide
  fold.after(row);
  return result;
}

export function decideFirst() {
  for (const section of document.querySelectorAll("article section[id^=check-yourself]")) {
    const folds = [...section.querySelectorAll("details.sd-dropdown")].filter((fold) => STATEMENT.test(fold.querySelector("summary").textContent));
    if (!folds.length) continue;
    const told = Object.assign(document.createElement("p"), { className: "sepbook-decided d-print-none" });
    told.setAttribute("role", "status");
    const count = () => {
      const [decided, agreed] = ["decided", "agreed"].map((key) => results.filter((each) => each[key]).length);
      told.textContent = `Decided: ${decided} of ${folds.length}. As the answers say: ${agreed}.`;
    };
    const kind = /all of them wrong/.test(section.querySelector("p")?.textContent) ? WHY : HOLDS;
    const results = folds.map((fold) => ask(fold, kind, count));
    (folds.at(-1).nextElementSibling ?? folds.at(-1)).after(told);
  }
}
