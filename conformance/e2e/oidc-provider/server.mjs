// A certified OpenID provider on loopback, for the end-to-end suite. Prints its issuer when it listens.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { exportJWK, generateKeyPair } from 'jose';
import Provider, { errors } from 'oidc-provider';

const people = {
  alice: { name: 'Alice Adams', roles: ['Admin'] },
  bob: { name: 'Bob Brown', roles: [] },
};

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

// RFC 8693, as far as a test of a client needs it: a service's opaque token for one that is meant for the API.
async function exchange(ctx) {
  const { client, params, provider } = ctx.oidc;
  const subject = await provider.ClientCredentials.find(params.subject_token);
  if (!subject) throw new errors.InvalidGrant('the subject token is none of ours');
  const token = new provider.ClientCredentials({ client, scope: params.scope });
  token.resourceServer = new provider.ResourceServer(params.audience, resourceServer(ctx, params.audience));
  ctx.body = {
    access_token: await token.save(),
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: token.expiration,
    scope: params.scope,
  };
}

const algorithm = process.env.ALGORITHM ?? 'RS256';

// OpenID Connect Back-Channel Logout 1.0: where logout tokens for the client `web` go. `sid` is then in its tokens.
const logoutUri = process.env.LOGOUT_URI;

const BY_CERTIFICATE = 'self_signed_tls_client_auth';

// RFC 8705: with a folder of certificates, the provider listens at a second address for clients that show theirs.
const certificates = process.env.CERTIFICATES;
const readCertificate = (name) => readFileSync(`${certificates}/${name}`);

function mutualTls() {
  const files = { cert: readCertificate('server.crt'), key: readCertificate('server.key') };
  // Self-signed certificates are compared with the registered ones, so no authority has to know them.
  return createTlsServer({ ...files, requestCert: true, rejectUnauthorized: false });
}

// Clients with certificates: one is known by its own, the other by a secret. The tokens of both are bound.
function certifiedClients() {
  if (!certificates) return [];
  const certificate = new X509Certificate(readCertificate('client.crt'));
  const jwk = { ...certificate.publicKey.export({ format: 'jwk' }), x5c: [certificate.raw.toString('base64')] };
  const bound = {
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    tls_client_certificate_bound_access_tokens: true,
  };
  return [
    {
      ...bound,
      client_id: 'certified',
      token_endpoint_auth_method: BY_CERTIFICATE,
      jwks: { keys: [jwk] },
    },
    {
      ...bound,
      client_id: 'certified-secret',
      client_secret: 'certified-secret',
      token_endpoint_auth_method: 'client_secret_post',
    },
  ];
}

function resourceServer(ctx, resource) {
  return {
    audience: resource,
    scope: 'orders:read orders:write',
    accessTokenTTL: 3600,
    accessTokenFormat: resource === 'api://opaque-api' ? 'opaque' : 'jwt',
    jwt: { sign: { alg: algorithm } },
  };
}

async function signingKey(alg, kid) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 2048 });
  return { ...(await exportJWK(privateKey)), alg, kid, use: 'sig' };
}

const keys = [await signingKey('RS256', 'rs-1')];
if (algorithm !== 'RS256') keys.push(await signingKey(algorithm, 'other-1'));

const server = createServer();
const tlsServer = certificates ? mutualTls() : undefined;
tlsServer?.listen(0, '127.0.0.1', () => server.listen(0, '127.0.0.1'));
if (!tlsServer) server.listen(0, '127.0.0.1');
server.on('listening', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    jwks: { keys },
    cookies: { keys: [crypto.randomUUID()] },
    clients: [
      {
        client_id: 'service',
        client_secret: 'service-secret',
        grant_types: ['client_credentials', EXCHANGE],
        redirect_uris: [],
        response_types: [],
        introspection_signed_response_alg: 'RS256',
      },
      {
        client_id: 'web',
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
        redirect_uris: ['http://127.0.0.1/callback'],
        response_types: ['code'],
        ...(logoutUri && { backchannel_logout_uri: logoutUri, backchannel_logout_session_required: true }),
      },
      ...certifiedClients(),
    ],
    enabledJWA: { dPoPSigningAlgValues: ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256'] },
    // It sends nothing to loopback by itself, where the receivers of this suite are.
    ...(logoutUri && { fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }) }),
    features: {
      backchannelLogout: { enabled: logoutUri !== undefined },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 7), requireNonce: () => true },
      devInteractions: { enabled: true },
      introspection: { enabled: true },
      jwtIntrospection: { enabled: true },
      mTLS: {
        enabled: certificates !== undefined,
        certificateBoundAccessTokens: true,
        selfSignedTlsClientAuth: true,
        getCertificate: (ctx) => ctx.socket.getPeerX509Certificate?.(),
      },
      pushedAuthorizationRequests: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'api://enterprise-api',
        useGrantedResource: () => true,
        getResourceServerInfo: resourceServer,
      },
    },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    ...(certificates && { clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none', BY_CERTIFICATE] }),
    discovery: tlsServer && {
      mtls_endpoint_aliases: { token_endpoint: `https://127.0.0.1:${tlsServer.address().port}/token` },
    },
    extraTokenClaims: (ctx, token) => ({ ...people[token.accountId], ...(logoutUri && { sid: token.sid }) }),
    scopes: ['openid', 'offline_access', 'orders:read', 'orders:write'],
  });
  const members = ['subject_token', 'subject_token_type', 'requested_token_type', 'audience', 'scope'];
  provider.registerGrantType(EXCHANGE, exchange, members);
  server.on('request', provider.callback());
  tlsServer?.on('request', provider.callback());
  console.log(JSON.stringify({ issuer }));
});
