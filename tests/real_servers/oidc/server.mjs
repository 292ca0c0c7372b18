// An OAuth 2 authorization server for the tests of fetching, on loopback only: oidc-provider with two clients.
//
//   node server.mjs PORT          (0 takes a free port)
//
// `ehr` gets access tokens by client_credentials with a signed assertion (private_key_jwt, RS384: SMART Backend Services);
// `fhir-server` asks whether a token is active (introspection). When it answers it prints one line, `ready ISSUER`.
// Environment: EHR_JWKS, the public keys of `ehr`; FHIR_SERVER_SECRET; SCOPES, what may be asked for, separated by spaces;
// TOKEN_SECONDS, how long a token lives.

import { generateKeyPairSync } from 'node:crypto';
import http from 'node:http';
import Provider from 'oidc-provider';

const {
  EHR_JWKS = '{"keys": []}',
  FHIR_SERVER_SECRET = 'not a secret: loopback only',
  SCOPES = 'system/*.rs',
  TOKEN_SECONDS = '300',
} = process.env;

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
    ],
    scopes: SCOPES.split(' '),
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
    enabledJWA: { clientAuthSigningAlgValues: ['RS384'] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: (context, client) => client.clientId === 'fhir-server' },
      revocation: { enabled: true },
    },
    ttl: { ClientCredentials: Number(TOKEN_SECONDS) },
  });
  server.on('request', provider.callback());
  console.error(`started in ${performance.now().toFixed(0)} ms`);
  console.log(`ready ${issuer}`);
});
