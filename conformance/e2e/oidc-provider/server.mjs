// A certified OpenID provider on loopback, for the end-to-end suite. Prints its issuer when it listens.
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const people = {
  alice: { name: 'Alice Adams', roles: ['Admin'] },
  bob: { name: 'Bob Brown', roles: [] },
};

const algorithm = process.env.ALGORITHM ?? 'RS256';

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
        grant_types: ['client_credentials'],
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
      dPoP: { enabled: true },
      devInteractions: { enabled: true },
      introspection: { enabled: true },
      jwtIntrospection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'api://enterprise-api',
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, resource) => ({
          audience: resource,
          scope: 'orders:read orders:write',
          accessTokenTTL: 3600,
          accessTokenFormat: resource === 'api://opaque-api' ? 'opaque' : 'jwt',
          jwt: { sign: { alg: algorithm } },
        }),
      },
    },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    extraTokenClaims: (ctx, token) => people[token.accountId],
    scopes: ['openid', 'offline_access', 'orders:read', 'orders:write'],
  });
  server.on('request', provider.callback());
  console.log(JSON.stringify({ issuer }));
});
