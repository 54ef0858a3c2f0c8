using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Omium.Runtime.Effects.Tools;

namespace Omium.Api.SingleSignOn;

/// <summary>What an issuer's discovery document says (OpenID Connect Discovery 1.0).</summary>
internal sealed record IssuerMetadata(string Issuer, Uri Authorization, Uri Token, Uri Keys, bool TakesBasic);

/// <summary>Speaks with issuers: discovery, keys, and the exchange of a code. Discovery and keys are kept for an hour; an unknown key is asked for anew, at most once a minute.</summary>
internal sealed class Issuers(GuardedFetch fetch, TimeProvider time)
{
    private const int KnownMax = 1_000;
    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(1), AskedAgainAfter = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, (IssuerMetadata Metadata, DateTimeOffset At)> _issuers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Uri, (JsonElement Keys, DateTimeOffset At)> _keys = new();

    /// <summary>The metadata of an issuer; null when it does not answer, or speaks for another.</summary>
    public async ValueTask<IssuerMetadata?> FindAsync(string issuer, CancellationToken cancellation)
    {
        if (_issuers.TryGetValue(issuer, out var known) && time.GetUtcNow() - known.At < KeptFor)
        {
            return known.Metadata;
        }

        if (!Uri.TryCreate(issuer.TrimEnd('/') + "/.well-known/openid-configuration", UriKind.Absolute, out var address) || await GetAsync(address, cancellation) is not { } document)
        {
            return null;
        }

        var metadata = Read(document, issuer);
        if (metadata is not null)
        {
            Keep(_issuers, issuer, (metadata, time.GetUtcNow()));
        }

        return metadata;
    }

    /// <summary>The issuer's keys, which hold the one named unless it has none such; null when it does not answer.</summary>
    public async ValueTask<JsonElement?> KeysAsync(IssuerMetadata issuer, string? keyId, CancellationToken cancellation)
    {
        var age = TimeSpan.MaxValue;
        if (_keys.TryGetValue(issuer.Keys, out var known))
        {
            age = time.GetUtcNow() - known.At;
            if (age < KeptFor && (keyId is null || Holds(known.Keys, keyId) || age < AskedAgainAfter))
            {
                return known.Keys;
            }
        }

        if (await GetAsync(issuer.Keys, cancellation) is not { } keys || !keys.TryGetProperty("keys", out var list) || list.ValueKind != JsonValueKind.Array)
        {
            return age < KeptFor ? known.Keys : null;
        }

        Keep(_keys, issuer.Keys, (keys, time.GetUtcNow()));
        return keys;
    }

    /// <summary>Exchanges a code (RFC 6749, section 4.1.3, with RFC 7636); the ID token, or null.</summary>
    public async Task<string?> ExchangeAsync(IssuerMetadata issuer, string clientId, string? secret, string code, string verifier, string redirect, CancellationToken cancellation)
    {
        var form = new Dictionary<string, string> { ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = redirect, ["client_id"] = clientId, ["code_verifier"] = verifier };
        if (secret is not null && !issuer.TakesBasic)
        {
            form["client_secret"] = secret;
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, issuer.Token) { Content = new FormUrlEncodedContent(form) };
        if (secret is not null && issuer.TakesBasic)
        {
            var pair = $"{Uri.EscapeDataString(clientId)}:{Uri.EscapeDataString(secret)}";
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)));
        }

        request.Headers.Accept.ParseAdd("application/json");
        return await fetch.SendAsync(request, cancellation) is { Status: 200 } answer && Parse(answer.Body) is { } tokens
            && tokens.TryGetProperty("id_token", out var token) && token.ValueKind == JsonValueKind.String ? token.GetString() : null;
    }

    private IssuerMetadata? Read(JsonElement document, string issuer)
    {
        if (Text(document, "issuer") != issuer || Address(document, "authorization_endpoint") is not { } authorization
            || Address(document, "token_endpoint") is not { } token || Address(document, "jwks_uri") is not { } keys)
        {
            return null;
        }

        var takesBasic = !document.TryGetProperty("token_endpoint_auth_methods_supported", out var methods) || methods.ValueKind != JsonValueKind.Array
            || methods.EnumerateArray().Any(method => method.ValueKind == JsonValueKind.String && method.GetString() == "client_secret_basic");
        return new IssuerMetadata(issuer, authorization, token, keys, takesBasic);
    }

    private Uri? Address(JsonElement document, string name) => Uri.TryCreate(Text(document, name), UriKind.Absolute, out var address) && fetch.IsFit(address) ? address : null;

    private async Task<JsonElement?> GetAsync(Uri address, CancellationToken cancellation)
    {
        if (!fetch.IsFit(address))
        {
            return null;
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Accept.ParseAdd("application/json");
        return await fetch.SendAsync(request, cancellation) is { Status: 200 } answer ? Parse(answer.Body) : null;
    }

    private static bool Holds(JsonElement keys, string keyId) => keys.GetProperty("keys").EnumerateArray().Any(key => key.ValueKind == JsonValueKind.Object && Text(key, "kid") == keyId);

    private static JsonElement? Parse(byte[] body)
    {
        try
        {
            return JsonElement.Parse(body) is { ValueKind: JsonValueKind.Object } document ? document : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement value, string name) => value.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String ? member.GetString() : null;

    private static void Keep<TKey, TValue>(ConcurrentDictionary<TKey, TValue> known, TKey key, TValue value)
        where TKey : notnull
    {
        if (known.Count >= KnownMax)
        {
            known.Clear();
        }

        known[key] = value;
    }
}
