// Who may ask: the loader, by a fixed token, and whoever brings a token that the authorization server calls active and whose
// scope names the resource type. LOADER_TOKEN turns the check on; INTROSPECT_URL and INTROSPECT_AS (`id:secret`) name the
// introspection endpoint of the authorization server (RFC 7662).

export const LOADER = 'loader';
const { LOADER_TOKEN, INTROSPECT_URL, INTROSPECT_AS = '' } = process.env;

/** LOADER, 200, 401 or 403; `type` is the resource type to be read, undefined where something is to be written. */
export async function allowed(header = '', type = undefined) {
  const token = header.startsWith('Bearer ') ? header.slice('Bearer '.length) : '';
  if (LOADER_TOKEN === undefined || token === LOADER_TOKEN) return LOADER;
  const described = token && INTROSPECT_URL ? await introspect(token) : { active: false };
  if (!described.active) return 401;
  const reached = (described.scope ?? '').split(' ').some((scope) => {
    const [, kind, rights] = /^(?:system|user|patient)\/(\w+|\*)\.(\w+|\*)$/.exec(scope) ?? [];
    return (kind === '*' || kind === type) && /^(read|\*|c?r[ud]*s?)$/.test(rights);
  });
  return type && reached ? 200 : 403;
}

async function introspect(token) {
  const response = await fetch(INTROSPECT_URL, {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa(INTROSPECT_AS)}` },
    body: new URLSearchParams({ token }),
    // Far longer than the answer takes: a search in this process may hold everything else up for seconds.
    signal: AbortSignal.timeout(120_000),
  });
  return response.json();
}
