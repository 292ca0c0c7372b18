// What the page asks of the service. The header is one that no page of another origin can send.

async function answer(response) {
  const text = await response.text();
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    body = null;
  }
  return { status: response.status, body };
}

async function get(path) {
  const { status, body } = await answer(await fetch(`/sandbox/api/${path}`));
  if (status !== 200) throw new Error(wordsOf(body) || `The service answered ${status}.`);
  return body;
}

export const start = () => get("start");
export const patients = () => get("patients");
export const record = (id) => get(`patients/${encodeURIComponent(id)}`);
export const drugs = () => get("drugs");
export const names = () => get("names");

/** One call of a service, with its trace. Throws where the page itself was refused. */
export const call = (told, signal) => post("call", told, signal);

async function post(path, told, signal) {
  const response = await fetch(`/sandbox/api/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Bonecds-Sandbox": "1" },
    body: JSON.stringify(told),
    signal,
  });
  const { status, body } = await answer(response);
  if (status !== 200) throw new Error(wordsOf(body) || `The service answered ${status}.`);
  return body;
}

export const pictures = (told, signal) => post("pictures", told, signal);
export const whatIf = (told, signal) => post("what-if", told, signal);

/** CDS Hooks feedback, as an EHR sends it; whatever comes back is shown. */
export async function feedback(service, body) {
  return answer(await fetch(`/cds-services/${encodeURIComponent(service)}/feedback`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  }));
}

/** What an OperationOutcome says. */
export function wordsOf(outcome) {
  return (outcome?.issue ?? []).map((each) => each.diagnostics).filter(Boolean).join(" ");
}
