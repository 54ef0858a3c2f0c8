using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Omium.Api.Tests.Access;

/// <summary>An OpenID Connect issuer on a real socket: discovery, keys, authorisation with PKCE, and tokens that can be made wrong in one place each.</summary>
internal sealed class FakeIssuer : IAsyncDisposable
{
    public const string ClientId = "omium", ClientSecret = "a secret & more";
    private readonly WebApplication _application;
    private readonly ConcurrentDictionary<string, (string Challenge, string Nonce, string Redirect)> _codes = new();
    private readonly RSA _rsa = RSA.Create(2048);
    private readonly RSA _other = RSA.Create(2048);

    private FakeIssuer(WebApplication application) => _application = application;

    public string Address => _application.Urls.First();

    /// <summary>Claims that are put in place of the right ones, or taken out (null).</summary>
    public Dictionary<string, JsonNode?> Claims { get; } = [];

    public string Algorithm { get; set; } = "RS256";

    public bool SignsWithAnotherKey { get; set; }

    public string Subject { get; set; } = "subject-1";

    public static async Task<FakeIssuer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var application = builder.Build();
        var issuer = new FakeIssuer(application);
        application.Map("/.well-known/openid-configuration", issuer.DiscoveryAsync);
        application.Map("/keys", issuer.KeysAsync);
        application.Map("/authorize", issuer.AuthorizeAsync);
        application.Map("/token", issuer.TokenAsync);
        await application.StartAsync();
        return issuer;
    }

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        _rsa.Dispose();
        _other.Dispose();
    }

    private Task DiscoveryAsync(HttpContext http) => http.Response.WriteAsync(new JsonObject
    {
        ["issuer"] = Address, ["authorization_endpoint"] = $"{Address}/authorize", ["token_endpoint"] = $"{Address}/token", ["jwks_uri"] = $"{Address}/keys",
    }.ToJsonString());

    private Task KeysAsync(HttpContext http)
    {
        var key = _rsa.ExportParameters(false);
        var jwk = new JsonObject { ["kty"] = "RSA", ["kid"] = "k1", ["use"] = "sig", ["alg"] = "RS256", ["n"] = Base64Url.EncodeToString(key.Modulus), ["e"] = Base64Url.EncodeToString(key.Exponent) };
        return http.Response.WriteAsync(new JsonObject { ["keys"] = new JsonArray(jwk) }.ToJsonString());
    }

    /// <summary>The person consents at once.</summary>
    private Task AuthorizeAsync(HttpContext http)
    {
        var query = http.Request.Query;
        if (query["response_type"] != "code" || query["client_id"] != ClientId || query["code_challenge_method"] != "S256" || !query["scope"].ToString().Split(' ').Contains("openid"))
        {
            http.Response.StatusCode = 400;
            return Task.CompletedTask;
        }

        var code = Guid.NewGuid().ToString("N");
        _codes[code] = (query["code_challenge"]!, query["nonce"]!, query["redirect_uri"]!);
        http.Response.Redirect($"{query["redirect_uri"]}?code={code}&state={Uri.EscapeDataString(query["state"]!)}&iss={Uri.EscapeDataString(Address)}");
        return Task.CompletedTask;
    }

    private async Task TokenAsync(HttpContext http)
    {
        var form = await http.Request.ReadFormAsync();
        var basic = $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(ClientId)}:{Uri.EscapeDataString(ClientSecret)}"))}";
        if (!_codes.TryRemove(form["code"].ToString(), out var asked) || http.Request.Headers.Authorization != basic || form["redirect_uri"] != asked.Redirect
            || form["grant_type"] != "authorization_code" || Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString()))) != asked.Challenge)
        {
            http.Response.StatusCode = 400;
            await http.Response.WriteAsync("""{"error": "invalid_grant"}""");
            return;
        }

        await http.Response.WriteAsync(new JsonObject { ["token_type"] = "Bearer", ["access_token"] = "at", ["id_token"] = Token(asked.Nonce) }.ToJsonString());
    }

    private string Token(string nonce)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = Address, ["sub"] = Subject, ["aud"] = ClientId, ["exp"] = now + 300, ["iat"] = now, ["nonce"] = nonce, ["email"] = "Grace@Corp.example", ["email_verified"] = true, ["name"] = "Grace",
        };
        foreach (var (name, value) in Claims)
        {
            claims.Remove(name);
            if (value is not null)
            {
                claims[name] = value.DeepClone();
            }
        }

        var content = $"{Part(new JsonObject { ["alg"] = Algorithm, ["kid"] = "k1" })}.{Part(claims)}";
        var bytes = Encoding.ASCII.GetBytes(content);
        var signature = Algorithm switch
        {
            "none" => [],
            "HS256" => HMACSHA256.HashData(Encoding.UTF8.GetBytes(_rsa.ExportSubjectPublicKeyInfoPem()), bytes),
            _ => (SignsWithAnotherKey ? _other : _rsa).SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{content}.{Base64Url.EncodeToString(signature)}");
    }

    private static string Part(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));
}
