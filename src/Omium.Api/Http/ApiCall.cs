using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Omium.Api.Audit;
using Omium.Api.Keys;
using Omium.Contracts.Workflows;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Runtime.Audit;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Http;

/// <summary>One request with its caller. Methods named Try... have answered with a problem when they give nothing.</summary>
internal sealed class ApiCall(HttpContext context, ApiServices services, Caller caller)
{
    private ReadOnlyMemory<byte>? _body;

    public HttpContext Context { get; } = context;

    public ApiServices Services { get; } = services;

    public Caller Caller { get; } = caller;

    /// <summary>From where it comes, for the audit trail.</summary>
    public Origin Origin => Origin.Of(Context, Services.Options);

    /// <summary>Longest body of this route, in bytes.</summary>
    public int BodyBytesMax { get; set; } = services.Options.BodyBytesMax;

    public CancellationToken Cancellation => Context.RequestAborted;

    public HttpRequest Request => Context.Request;

    public string Route(string name) => (string)Context.Request.RouteValues[name]!;

    /// <summary>A query parameter; null when absent or empty.</summary>
    public string? Query(string name) => Request.Query.TryGetValue(name, out var value) && value.ToString() is { Length: > 0 } text ? text : null;

    /// <summary>
    /// What makes an operator's command known in the execution itself when it is sent again, also when what is kept of the first answer is gone: the client's
    /// Idempotency-Key with the route and the body it came with, else a fresh id. A key that comes with something else is not that command again.
    /// </summary>
    public string RequestId => Request.Headers.TryGetValue("Idempotency-Key", out var given) && given.ToString() is { Length: > 0 and <= 255 } key
        ? $"{Caller.KeyId}{Request.Path}/{key}/{CanonicalJson.Digest((_body ?? default).Span)}"
        : Guid.NewGuid().ToString("N");

    public Task ProblemAsync(string code, string? detail = null, IReadOnlyList<SpecProblem>? errors = null, string? digest = null, JsonElement? shown = null) =>
        Problems.WriteAsync(Context, Services.Options, code, detail, errors, digest, shown);

    public Task RejectedAsync(Rejection rejection) => ProblemAsync(rejection.Code, Sentence(rejection.Message));

    public async Task JsonAsync<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK)
    {
        Context.Response.StatusCode = status;
        Context.Response.ContentType = "application/json";
        Context.Response.Headers.CacheControl = "no-store";
        Context.Response.Headers.XContentTypeOptions = "nosniff";
        await using var writer = new Utf8JsonWriter(Context.Response.BodyWriter, Problems.Readable);
        JsonSerializer.Serialize(writer, value, type);
        await writer.FlushAsync(Cancellation);
        await Context.Response.BodyWriter.FlushAsync(Cancellation);
    }

    /// <summary>A record as <see cref="JsonAsync"/> writes it.</summary>
    public static byte[] Serialize<T>(T value, JsonTypeInfo<T> type)
    {
        var bytes = new ArrayBufferWriter<byte>(4_096);
        using (var writer = new Utf8JsonWriter(bytes, Problems.Readable))
        {
            JsonSerializer.Serialize(writer, value, type);
        }

        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>200 with JSON that was written before.</summary>
    public async Task JsonBytesAsync(byte[] json)
    {
        Context.Response.ContentType = "application/json";
        Context.Response.ContentLength = json.Length;
        Context.Response.Headers.CacheControl = "no-store";
        Context.Response.Headers.XContentTypeOptions = "nosniff";
        await Context.Response.BodyWriter.WriteAsync(json, Cancellation);
    }

    /// <summary>An integer of the query within bounds; null when it was answered with a problem.</summary>
    public async ValueTask<long?> TryIntegerAsync(string name, long otherwise, long min, long max)
    {
        if (Query(name) is not { } text)
        {
            return otherwise;
        }

        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max)
        {
            return value;
        }

        await InvalidAsync($"/{name}", string.Create(CultureInfo.InvariantCulture, $"'{name}' is an integer from {min} to {max}."));
        return null;
    }

    /// <summary>False when a word of the query is none of the known ones, which was answered: an empty list would say that there are none.</summary>
    public async ValueTask<bool> TryWordAsync(string name, params string[] known)
    {
        if (Query(name) is not { } word || known.Contains(word))
        {
            return true;
        }

        await InvalidAsync($"/{name}", $"'{name}' is one of {string.Join(", ", known)}.");
        return false;
    }

    /// <summary>A time of the query, none when it is absent; null when it was answered.</summary>
    public async ValueTask<(long? UnixMs, bool IsGiven)?> TryTimeAsync(string name)
    {
        if (Query(name) is not { } text)
        {
            return (null, false);
        }

        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            return (time.ToUnixTimeMilliseconds(), true);
        }

        await InvalidAsync($"/{name}", $"'{name}' is a time like 2026-05-01T00:00:00Z.");
        return null;
    }

    /// <summary>A 422 with one finding.</summary>
    public Task InvalidAsync(string pointer, string message, string code = "invalid_value") =>
        ProblemAsync("validation_failed", message, [new SpecProblem(code, "error", pointer, message, "Send a value that fits.")]);

    /// <summary>Records what a person wants of an execution, with from where they want it, sealed as theirs.</summary>
    public async ValueTask<AdvanceResult> SubmitAsync(StreamId stream, ExecutionCommand command, IReadOnlyDictionary<string, byte[]>? stored = null)
    {
        var part = await Services.Persons.PartAsync(Caller.Tenant, Caller.KeyId, Origin.ToJson(), Cancellation);
        var from = part is null ? (JsonElement?)null : JsonSerializer.SerializeToElement(part, AuditJson.Default.PersonalPart);
        return await Services.Engine.SubmitAsync(stream, command with { Origin = from }, stored, Cancellation);
    }

    /// <summary>The execution the route names, loaded; null when it was answered 404 (also for one of another tenant).</summary>
    public async ValueTask<ExecutionCell?> TryExecutionAsync(string? id = null)
    {
        id ??= Route("id");
        var cell = ExecutionIds.IsWellFormed(id) ? await Services.Advancer.FindAsync(new StreamId(Caller.Tenant, id), Cancellation) : null;
        if (cell is null)
        {
            await ProblemAsync("execution_not_found", $"There is no execution {Shorten(id)}.");
        }

        return cell;
    }

    /// <summary>The body as a record.</summary>
    /// <param name="type">What is read.</param>
    /// <param name="otherwise">What an absent body stands for; null = a body is needed.</param>
    public async ValueTask<T?> TryReadAsync<T>(JsonTypeInfo<T> type, T? otherwise = null)
        where T : class
    {
        if (otherwise is not null && Request.ContentLength is null or 0 && !Request.Headers.ContainsKey("Transfer-Encoding"))
        {
            return otherwise;
        }

        if (!IsJson(Request.ContentType))
        {
            await ProblemAsync("unsupported_media_type", $"The body's Content-Type is {Shorten(Request.ContentType ?? "absent")}.");
            return null;
        }

        if (await TryBodyAsync() is not { } body)
        {
            return null;
        }

        if (body.Length == 0 && otherwise is not null)
        {
            return otherwise;
        }

        try
        {
            if (JsonSerializer.Deserialize(body.Span, type) is not { } value)
            {
                await InvalidAsync("", "The body is null; it must be an object.");
            }
            else if (type.Properties.FirstOrDefault(member => HoldsNull(member.Get?.Invoke(value))) is { } holding)
            {
                await InvalidAsync($"/{holding.Name}", "The list holds null; it must hold texts.");
            }
            else
            {
                return value;
            }
        }
        catch (JsonException error)
        {
            await MalformedAsync(body, error);
        }

        return null;
    }

    /// <summary>A list of texts with none in it: the serializer's own check of what may be null ends at the list.</summary>
    private static bool HoldsNull(object? member) => member is IReadOnlyList<string?> texts && texts.Any(text => text is null);

    /// <summary>The whole body, read once; null when it was answered 413.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> TryBodyAsync() => _body ??= await TryReadBodyAsync();

    private async ValueTask<ReadOnlyMemory<byte>?> TryReadBodyAsync()
    {
        var limit = BodyBytesMax;
        if (Context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } server)
        {
            server.MaxRequestBodySize = limit + 1L; // This limit counts, not the server's: its answer says which it is.
        }

        if (Request.ContentLength > limit)
        {
            await TooLargeAsync($"The body has {Request.ContentLength} bytes, at most {limit} are read.");
            return null;
        }

        var reader = Request.BodyReader;
        while (true)
        {
            var result = await reader.ReadAsync(Cancellation);
            if (result.Buffer.Length > limit)
            {
                reader.AdvanceTo(result.Buffer.End);
                await TooLargeAsync($"The body has more than {limit} bytes.");
                return null;
            }

            if (result.IsCompleted)
            {
                var body = result.Buffer.ToArray();
                reader.AdvanceTo(result.Buffer.End);
                return body;
            }

            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    /// <summary>The rest of the body is not read: the connection cannot be used again, and the client is told so.</summary>
    private Task TooLargeAsync(string detail)
    {
        Context.Response.Headers.Connection = "close";
        return ProblemAsync("body_too_large", detail);
    }

    /// <summary>A value from outside as commands carry it: canonical, no reserved name, put aside when large. Null when it was answered with a problem.</summary>
    public async ValueTask<(JsonElement Value, Dictionary<string, byte[]>? Stored)?> TryInternAsync(JsonElement given, string pointer)
    {
        if (!CanonicalJson.TryNormalize(given, out var canonical, out var problem, new JsonLimits { SizeMax = Services.Options.InputBytesMax }))
        {
            await InvalidAsync(pointer, $"{problem!.Message} (at byte {problem.Offset} of the value)", problem.Code);
            return null;
        }

        if (PayloadResolver.UsesReservedName(canonical))
        {
            await InvalidAsync(pointer, $"The name '{PayloadReference.Member}' is reserved.", "reserved_name");
            return null;
        }

        Dictionary<string, byte[]>? stored = null;
        var value = PayloadResolver.Intern(canonical, ref stored);
        return (value, stored);
    }

    /// <summary>The same for a value that may be absent; large ones are added to <paramref name="stored"/>. False when it was answered with a problem.</summary>
    public async ValueTask<(bool Ok, JsonElement? Value)> TryInternAsync(JsonElement? given, string pointer, Dictionary<string, byte[]> stored)
    {
        if (given is not { ValueKind: not JsonValueKind.Undefined } value)
        {
            return (true, null);
        }

        if (await TryInternAsync(value, pointer) is not { } interned)
        {
            return (false, null);
        }

        foreach (var (digest, bytes) in interned.Stored ?? [])
        {
            stored[digest] = bytes;
        }

        return (true, interned.Value);
    }

    /// <summary>False when a value is too large to stay in a record, where it is compared, which was answered.</summary>
    public async ValueTask<bool> TryComparedAsync(JsonElement? interned, string pointer)
    {
        if (interned is not { } value || !PayloadReference.TryRead(value, out _, out var size))
        {
            return true;
        }

        await InvalidAsync(pointer, string.Create(
            CultureInfo.InvariantCulture, $"This has {size} bytes. What sender and receiver compare is kept whole in the record, at most {PayloadReference.InlineBytesMax} bytes: state counts or digests of what is large."));
        return false;
    }

    public static bool IsJson(string? contentType)
    {
        var media = contentType.AsSpan();
        var end = media.IndexOf(';');
        media = (end < 0 ? media : media[..end]).Trim();
        return media.Equals("application/json", StringComparison.OrdinalIgnoreCase) || media.EndsWith("+json", StringComparison.OrdinalIgnoreCase);
    }

    public static string Sentence(string text) =>
        text.Length == 0 ? text : string.Concat(char.ToUpperInvariant(text[0]).ToString(), text.AsSpan(1), text[^1] is '.' or '!' or '?' ? "" : ".");

    public static string Shorten(string text) => text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 80), "...");

    /// <summary>Broken JSON is 400 with the byte; sound JSON of the wrong shape is 422 with the pointer.</summary>
    private Task MalformedAsync(ReadOnlyMemory<byte> body, JsonException error)
    {
        if (!CanonicalJson.TryParse(body, out _, out var problem))
        {
            return ProblemAsync("invalid_json", $"{problem!.Message} (at byte {problem.Offset})");
        }

        var pointer = PointerOf(error.Path);
        var message = error.Message;
        var cut = message.IndexOf(" Path:", StringComparison.Ordinal);
        message = ClrNames(cut < 0 ? message : message[..cut]);
        return InvalidAsync(pointer, message);
    }

    /// <summary>The reader's messages name CLR types; a client knows only JSON.</summary>
    private static string ClrNames(string message) => message switch
    {
        _ when message.Contains("missing required", StringComparison.Ordinal) => "A required member is missing:" + message[(message.LastIndexOf(':') + 1)..],
        _ when message.Contains("could not be mapped", StringComparison.Ordinal) => "There is no such member: " + Quoted(message) + ".",
        _ => "The value at this place has the wrong type.",
    };

    private static string Quoted(string message)
    {
        var start = message.IndexOf('\'', StringComparison.Ordinal);
        var end = start < 0 ? -1 : message.IndexOf('\'', start + 1);
        return end < 0 ? "" : message[(start + 1)..end];
    }

    private static string PointerOf(string? path)
    {
        if (path is null or "$")
        {
            return "";
        }

        var pointer = "";
        foreach (var token in path.TrimStart('$').Replace("[", ".", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal).Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            pointer = JsonPointer.Append(pointer, token.Trim('\''));
        }

        return pointer;
    }
}
