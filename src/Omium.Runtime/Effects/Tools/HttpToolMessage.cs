using System.Buffers;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Runtime.Effects.Secrets;

namespace Omium.Runtime.Effects.Tools;

/// <summary>A request that cannot be sent as it is written: nothing has happened, and trying again cannot help.</summary>
internal sealed class RequestRefusedException(string code, string message) : Exception(message)
{
    public string Code { get; } = code;
}

/// <summary>Turns a <see cref="ToolRequest"/> into an HTTP request: secrets in, everything dangerous refused before a byte is sent.</summary>
internal sealed class HttpToolMessage
{
    private static readonly SearchValues<char> TokenChars =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"); // RFC 9110 section 5.6.2

    /// <summary>Headers that frame the message or belong to the connection: a tool that sets them could smuggle a second request.</summary>
    private static readonly HashSet<string> ReservedHeaders = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Upgrade", "TE",
        "Trailer", "Expect", "HTTP2-Settings",
    };

    private readonly List<KeyValuePair<string, string>> _headers = [];
    private readonly byte[]? _body;

    /// <exception cref="RequestRefusedException">It cannot be sent as written.</exception>
    /// <exception cref="SecretMissingException">It names a secret that is not set.</exception>
    public HttpToolMessage(ToolRequest request, SecretScope secrets, ToolNetworkOptions options)
    {
        Method = ReadMethod(request.Tool.Method);
        Url = ReadUrl(request.Url ?? request.Tool.Url ?? "", secrets);
        foreach (var (name, value) in request.Headers)
        {
            AddHeader(name, secrets.Reveal(value));
        }

        if (request.IdempotencyKey is { } key)
        {
            SetHeader("Idempotency-Key", key);
        }

        SetHeader("Omium-Effect", request.EffectId);
        if (request.FencingTokens is { } tokens)
        {
            SetHeader("Omium-Fencing-Token", tokens);
        }

        _body = request.Body is { ValueKind: not JsonValueKind.Undefined } body ? ReadBody(secrets.Reveal(body)) : null;
        if (_body?.Length > options.RequestBytesMax)
        {
            throw new RequestRefusedException(
                "request_too_large", $"The request body has {_body.Length} bytes; at most {options.RequestBytesMax} are sent.");
        }
    }

    /// <summary>Method.</summary>
    public HttpMethod Method { get; }

    /// <summary>Absolute URL, http or https.</summary>
    public Uri Url { get; }

    /// <summary>True when sending it twice does what sending it once does, by the method's own meaning (RFC 9110 section 9.2.1).</summary>
    public bool IsSafe => Method == HttpMethod.Get || Method == HttpMethod.Head || Method == HttpMethod.Options;

    /// <summary>Headers as they are sent, secrets included.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers => _headers;

    /// <summary>The request, for this URL (the tool's own, or where it redirected to on the same origin).</summary>
    public HttpRequestMessage Build(Uri url)
    {
        // HTTP/1.1 only: one request at a time on a connection is what makes "was it sent?" a question with an answer.
        var message = new HttpRequestMessage(Method, url) { Version = System.Net.HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        var content = _body is null ? null : new ByteArrayContent(_body);
        message.Content = content;
        foreach (var (name, value) in _headers)
        {
            if (!message.Headers.TryAddWithoutValidation(name, value))
            {
                content?.Headers.TryAddWithoutValidation(name, value);
            }
        }

        if (content is not null && content.Headers.ContentType is null)
        {
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        if (!_headers.Exists(header => header.Key.Equals("Accept", StringComparison.OrdinalIgnoreCase)))
        {
            message.Headers.TryAddWithoutValidation("Accept", "application/json, text/*;q=0.5");
        }

        return message;
    }

    private static HttpMethod ReadMethod(string method)
    {
        RefuseUnless(method.Length is > 0 and <= 32 && !method.AsSpan().ContainsAnyExcept(TokenChars), "method_invalid", "The method is not a token.");
        RefuseUnless(!method.Equals("CONNECT", StringComparison.OrdinalIgnoreCase), "method_invalid", "CONNECT is not a method for tools.");
        return new HttpMethod(method.ToUpperInvariant());
    }

    /// <summary>
    /// A secret at the very start may be a whole URL (a webhook's) and goes in as it is; anywhere else it is one percent-encoded piece, so
    /// that a value with '/', '?' or '@' cannot change where the request goes.
    /// </summary>
    private static Uri ReadUrl(string template, SecretScope secrets)
    {
        var text = secrets.Reveal(template, (value, position) => position == 0 ? value : Uri.EscapeDataString(value));
        RefuseUnless(text.Length > 0, "url_invalid", "The tool has no URL.");
        RefuseUnless(!text.AsSpan().ContainsAnyInRange('\0', '\u001F'), "url_invalid", "The URL holds a control character.");
        RefuseUnless(Uri.TryCreate(text, UriKind.Absolute, out var url), "url_invalid", "The URL is not an absolute URL.");
        RefuseUnless(url!.Scheme is "http" or "https", "scheme_refused", $"The URL's scheme is '{url.Scheme}'; only http and https are sent.");
        RefuseUnless(url.UserInfo.Length == 0, "url_invalid", "The URL holds credentials; put them in a header.");
        return url;
    }

    private void AddHeader(string name, string value)
    {
        RefuseUnless(name.Length > 0 && !name.AsSpan().ContainsAnyExcept(TokenChars), "header_invalid", "A header's name is not a token.");
        RefuseUnless(!ReservedHeaders.Contains(name), "header_invalid", $"The header '{name}' is set by Omium alone.");
        RefuseUnless(
            value.All(c => c is '\t' or (>= ' ' and <= '~')), "header_invalid",
            $"The value of header '{name}' holds a line break, a control character or a character outside ASCII.");
        _headers.Add(new(name, value));
    }

    private void SetHeader(string name, string value)
    {
        _headers.RemoveAll(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase));
        AddHeader(name, value);
    }

    /// <summary>JSON, unless the tool's Content-Type says it is a form or a text.</summary>
    private byte[] ReadBody(JsonElement body)
    {
        var type = _headers.Find(header => header.Key.Equals("Content-Type", StringComparison.OrdinalIgnoreCase)).Value ?? "application/json";
        if (type.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) && body.ValueKind == JsonValueKind.Object)
        {
            var fields = body.EnumerateObject().Select(field => $"{Uri.EscapeDataString(field.Name)}={Uri.EscapeDataString(FormValue(field))}");
            return Encoding.UTF8.GetBytes(string.Join('&', fields));
        }

        var isJson = type.Contains("json", StringComparison.OrdinalIgnoreCase);
        return Encoding.UTF8.GetBytes(!isJson && body.ValueKind == JsonValueKind.String ? body.GetString()! : body.GetRawText());
    }

    private static string FormValue(JsonProperty field) => field.Value.ValueKind switch
    {
        JsonValueKind.String => field.Value.GetString()!,
        JsonValueKind.Null => "",
        JsonValueKind.Object or JsonValueKind.Array =>
            throw new RequestRefusedException("request_invalid", $"The form field '{field.Name}' is not a plain value."),
        _ => field.Value.GetRawText(),
    };

    private static void RefuseUnless(bool condition, string code, string message)
    {
        if (!condition)
        {
            throw new RequestRefusedException(code, message);
        }
    }
}
