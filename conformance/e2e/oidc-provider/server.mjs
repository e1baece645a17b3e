// A certified OpenID provider on loopback, for the end-to-end suite. Prints its issuer when it listens.
import { createServer } from 'node:http';
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
server.listen(0, '127.0.0.1', () => {
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
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 7), requireNonce: () => true },
      devInteractions: { enabled: true },
      introspection: { enabled: true },
      jwtIntrospection: { enabled: true },
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
    extraTokenClaims: (ctx, token) => people[token.accountId],
    scopes: ['openid', 'offline_access', 'orders:read', 'orders:write'],
  });
  const members = ['subject_token', 'subject_token_type', 'requested_token_type', 'audience', 'scope'];
  provider.registerGrantType(EXCHANGE, exchange, members);
  server.on('request', provider.callback());
  console.log(JSON.stringify({ issuer }));
});
