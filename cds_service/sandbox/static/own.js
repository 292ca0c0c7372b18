// A record of one's own. It stays in the memory of this page and goes to this service only.

import { $, fill } from "./dom.js";

const LONGEST = 4_500_000;

/** Listens for a pasted, chosen or dropped record; calls `opened(bundle, patient)`. */
export function ownRecord(opened) {
  const dialog = $("own");
  const say = (text) => fill($("own-error"), text);
  const take = (text) => {
    try {
      const { bundle, patient } = bundleOf(text);
      say("");
      $("own-text").value = "";
      dialog.close();
      opened(bundle, patient);
    } catch (problem) {
      say(problem.message);
      if (!dialog.open) dialog.showModal();
    }
  };
  $("own-open").addEventListener("click", () => dialog.showModal());
  $("own-cancel").addEventListener("click", () => dialog.close());
  $("own-use").addEventListener("click", () => take($("own-text").value));
  $("own-file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) take(await file.text());
    event.target.value = "";
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    const text = file ? await file.text() : event.dataTransfer.getData("text/plain");
    if (text) take(text);
  });
}

/** The Bundle and its one Patient. @throws {Error} in words for people, without anything of the record */
export function bundleOf(text) {
  if (!text.trim()) throw new Error("Paste a FHIR R4 Bundle first.");
  if (text.length > LONGEST) throw new Error("This is longer than the service takes. Leave out what is not about bones.");
  let told;
  try {
    told = JSON.parse(text);
  } catch {
    throw new Error("This is not JSON.");
  }
  const entries = Array.isArray(told) ? told.map((resource) => ({ resource })) : told?.entry;
  if (!Array.isArray(entries)) throw new Error("This is no FHIR Bundle: it has no entry.");
  const patients = entries.map((each) => each?.resource).filter((each) => each?.resourceType === "Patient");
  if (patients.length !== 1) throw new Error(`A record has one Patient; this has ${patients.length}.`);
  if (typeof patients[0].id !== "string" || !patients[0].id) throw new Error("The Patient has no id.");
  return { bundle: { resourceType: "Bundle", type: "collection", entry: entries }, patient: patients[0] };
}
