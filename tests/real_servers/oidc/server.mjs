// An OAuth 2 authorization server for the tests of fetching and launching, on loopback only: oidc-provider with three clients.
//
//   node server.mjs PORT          (0 takes a free port)
//
// `ehr` gets access tokens by client_credentials with a signed assertion (private_key_jwt, RS384: SMART Backend Services);
// `fhir-server` asks whether a token is active (introspection); `one-page` is an app without a secret that a user logs in for
// (authorization code, PKCE required, login and consent on the provider's own pages). When it answers it prints one line,
// `ready ISSUER`.
// Environment: EHR_JWKS, the public keys of `ehr`; FHIR_SERVER_SECRET; SCOPES, what may be asked for, separated by spaces;
// TOKEN_SECONDS, how long a token lives; SMART_REDIRECT_URI and SMART_SCOPES of `one-page`; SMART_LAUNCHES, a JSON object: the
// patient of each `launch` value, null where no chart is open.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import http from 'node:http';
import Provider, { errors } from 'oidc-provider';

const {
  EHR_JWKS = '{"keys": []}',
  FHIR_SERVER_SECRET = 'not a secret: loopback only',
  SCOPES = 'system/*.rs',
  TOKEN_SECONDS = '300',
  SMART_REDIRECT_URI = 'http://127.0.0.1:8080/smart/callback',
  SMART_SCOPES = 'launch',
  SMART_LAUNCHES = '{}',
} = process.env;
const launches = new Map(Object.entries(JSON.parse(SMART_LAUNCHES)));

// What SMART adds to OAuth 2 is the EHR's own and no part of the provider: `launch` stands for the open chart, `aud` for the
// FHIR server (`resource` of RFC 8707 under another name and without its meaning for scopes), and the answer with the token names
// the patient. These few lines are ours.
const smartParameters = {
  launch(context, value) {
    if (!launches.has(value)) throw new errors.InvalidRequest('launch is not known');
  },
  aud(context, value) {
    if (!URL.canParse(value)) throw new errors.InvalidRequest('aud is missing');
  },
};

/** Which chart was open when a code was given, told with the token that the code is worth. */
function tellCharts(provider) {
  const charts = new Map();
  provider.use(async (context, next) => {
    await next();
    const { route, params } = context.oidc ?? {};
    if (route === 'authorization' || route === 'resume') {
      const to = new URL(context.response.get('location') || '/', provider.issuer);
      if (to.searchParams.has('code')) charts.set(to.searchParams.get('code'), launches.get(params.launch));
    }
    const patient = route === 'token' && context.body?.access_token ? charts.get(params.code) : null;
    if (patient) context.body = { ...context.body, patient };
  });
}

const machine = { redirect_uris: [], response_types: [], id_token_signed_response_alg: 'RS256' };

const server = http.createServer();
// The FHIR servers ask over connections that they keep. Closed after five idle seconds, as Node has it, one that is just being
// used again fails their question, and that would look like a fault of theirs.
server.keepAliveTimeout = 3_600_000;
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const provider = new Provider(issuer, {
    clients: [
      {
        ...machine,
        client_id: 'ehr',
        grant_types: ['client_credentials'],
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'RS384',
        jwks: JSON.parse(EHR_JWKS),
        scope: SCOPES,
      },
      {
        ...machine,
        client_id: 'fhir-server',
        grant_types: [],
        token_endpoint_auth_method: 'client_secret_basic',
        client_secret: FHIR_SERVER_SECRET,
      },
      {
        ...machine,
        client_id: 'one-page',
        grant_types: ['authorization_code'],
        response_types: ['code'],
        redirect_uris: [SMART_REDIRECT_URI],
        token_endpoint_auth_method: 'none',
        scope: SMART_SCOPES,
      },
    ],
    scopes: [...SCOPES.split(' '), ...SMART_SCOPES.split(' ')],
    pkce: { required: () => true },
    extraParams: smartParameters,
    findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    cookies: { keys: [randomUUID()] },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
    enabledJWA: { clientAuthSigningAlgValues: ['RS384'] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (context, client) => client.clientId === 'fhir-server' },
      revocation: { enabled: true },
    },
    ttl: {
      ClientCredentials: Number(TOKEN_SECONDS),
      AccessToken: Number(TOKEN_SECONDS),
      AuthorizationCode: 60,
      Grant: 600,
      Interaction: 600,
      Session: 600,
    },
  });
  tellCharts(provider);
  server.on('request', provider.callback());
  console.error(`started in ${performance.now().toFixed(0)} ms`);
  console.log(`ready ${issuer}`);
});
