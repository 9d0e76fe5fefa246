// Dialogs: a form, what it does, and what went wrong.

import { h, setText } from "./dom.js";
import { explain } from "./hub.js";

/**
 * Shows a form. `act()` is called when it is submitted; the dialog closes when its promise is fulfilled and
 * else stays, with the error.
 */
export function openDialog(title, content, { action, danger = false, act }) {
  const problem = h("p", { class: "problem", role: "alert" });
  const submit = h("button", { class: danger ? "primary danger" : "primary", type: "submit" }, action);
  const dialog = h(
    "dialog",
    { "aria-label": title, onclose: () => dialog.remove() },
    h(
      "form",
      { onsubmit: (event) => send(event) },
      h("h2", {}, title),
      content,
      problem,
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"),
        submit,
      ),
    ),
  );
  const send = async (event) => {
    event.preventDefault();
    submit.disabled = true;
    setText(problem, "");
    try {
      await act();
      dialog.close();
    } catch (error) {
      setText(problem, explain(error));
    } finally {
      submit.disabled = submit.dataset.locked === "true";
    }
  };
  document.body.append(dialog);
  dialog.showModal();
  return { dialog, submit };
}

/** Asks to type a name before something is destroyed. */
export function confirmByName(title, explanation, name, { action, act }) {
  const typed = h("input", {
    autocomplete: "off",
    spellcheck: "false",
    "aria-label": `Type ${name} to confirm`,
  });
  const content = h(
    "div",
    { class: "field wide" },
    h("p", {}, explanation),
    h("p", {}, "To confirm, type ", h("code", {}, name), ":"),
    typed,
  );
  const { submit } = openDialog(title, content, { action, danger: true, act });
  const check = () => {
    submit.disabled = typed.value !== name;
    submit.dataset.locked = String(submit.disabled);
  };
  typed.addEventListener("input", check);
  check();
}
