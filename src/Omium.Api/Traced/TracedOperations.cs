using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Omium.Api.Http;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Api.Traced;

/// <summary>Reads operations as the kernel takes them. What is no such operation is answered with its place.</summary>
internal sealed class TracedOperations(ApiCall call)
{
    /// <summary>Operations of one request.</summary>
    public const int CountMax = 100;

    private const int ChecksBytesMax = 16_384, TextMax = 255;
    private readonly Dictionary<string, byte[]> _stored = [];

    /// <summary>Large values, to be stored with the record.</summary>
    public Dictionary<string, byte[]> Stored => _stored;

    /// <summary>The operation; null when it was answered with a problem.</summary>
    public async ValueTask<TraceOperation?> TryReadAsync(TraceOperationRequest? request, string pointer)
    {
        if (request is null)
        {
            await call.InvalidAsync(pointer, "An operation is an object.");
            return null;
        }

        if (await IsTooLongAsync(request, pointer))
        {
            return null;
        }

        switch (request.Do)
        {
            case TraceWords.Attach or TraceWords.Renew:
                return new TraceOperation(request.Do);
            case TraceWords.Lost:
                return new TraceOperation(request.Do) { Gone = request.Gone };
            case TraceWords.Begin or TraceWords.Record:
                return await TryStepAsync(request, pointer);
            case "handoff":
                return await TryHandoffAsync(request, pointer);
            case TraceWords.Receive:
                return await TryReceiveAsync(request, pointer);
            case TraceWords.Finish or TraceWords.Complete or TraceWords.Verified or TraceWords.Fail or TraceWords.Undo or TraceWords.Undone:
                return await TryToldAsync(request, pointer);
            default:
                await call.InvalidAsync(pointer + "/do", $"No operation is called '{ApiCall.Shorten(request.Do ?? "")}'.");
                return null;
        }
    }

    /// <summary>True when a text that would stay in the record as it is was refused for its length.</summary>
    private async ValueTask<bool> IsTooLongAsync(TraceOperationRequest request, string pointer)
    {
        (string Name, string? Text)[] texts =
        [
            ("compensate", request.Compensate), ("idempotency_key", request.IdempotencyKey), ("agent", request.Agent), ("input_digest", request.InputDigest), ("to", request.To),
            ("gone", request.Gone), ("effect_id", request.EffectId), ("status", request.Status), ("sid", request.Sid),
        ];
        if (Array.Find(texts, text => text.Text is { Length: > TextMax }) is not { Name: { } name })
        {
            return false;
        }

        await call.InvalidAsync($"{pointer}/{name}", string.Create(CultureInfo.InvariantCulture, $"'{name}' has at most {TextMax} characters."));
        return true;
    }

    private async ValueTask<TraceOperation?> TryStepAsync(TraceOperationRequest request, string pointer)
    {
        var kind = request.Kind ?? TracedKinds.Checkpoint;
        var isTransaction = kind == TracedKinds.Transaction;
        if (kind is not (TracedKinds.Checkpoint or TracedKinds.Transaction) || (isTransaction && request.Do == TraceWords.Record))
        {
            await call.InvalidAsync(pointer + "/kind", "A kind is checkpoint or transaction; a transaction is begun before it runs.");
            return null;
        }

        var isReserved = request.Name is TracedNames.Program || request.Name?.StartsWith("handoff:", StringComparison.Ordinal) == true || request.Name?.StartsWith("receive:", StringComparison.Ordinal) == true;
        if (isReserved || !await TryNameAsync(request.Name, pointer + "/name") || !await TryNameAsync(request.Key ?? "1", pointer + "/key"))
        {
            if (isReserved)
            {
                await call.InvalidAsync(pointer + "/name", $"The name '{request.Name}' is kept for Omium.");
            }

            return null;
        }

        if (request.Compensate is "" || request.IdempotencyKey is "" || request.Agent is "")
        {
            await call.InvalidAsync(pointer, string.Create(CultureInfo.InvariantCulture, $"compensate, idempotency_key and agent have 1 to {TextMax} characters."));
            return null;
        }

        if (request.AmountUsd is { } amount && !(double.IsFinite(amount) && amount >= 0))
        {
            await call.InvalidAsync(pointer + "/amount_usd", "An amount is a number of US dollars from 0."); // 1e400 is read as infinity, which no record can say.
            return null;
        }

        EffectKind? effect = request.Effect switch
        {
            null => isTransaction ? EffectKind.Irreversible : EffectKind.None, "idempotent" => EffectKind.Idempotent, "verifiable" => EffectKind.Verifiable, "irreversible" => EffectKind.Irreversible, _ => null,
        };
        if (effect is null || isTransaction != (effect != EffectKind.None))
        {
            await call.InvalidAsync(pointer + "/effect", "An effect is idempotent, verifiable or irreversible; only a transaction has one.");
            return null;
        }

        if (await TryChecksAsync(request, pointer) is not { } checks || await TryValueAsync(request.Input, pointer + "/input") is not { } input || await TryValueAsync(request.Output, pointer + "/output") is not { } output)
        {
            return null;
        }

        return new TraceOperation(request.Do!)
        {
            Name = request.Name,
            Key = request.Key ?? "1",
            Input = input.Value,
            InputDigest = input.Value is { } value ? DigestOf(value) : request.InputDigest,
            Output = request.Do == TraceWords.Record ? output.Value : null,
            Declared = new TracedDeclaration(kind, effect.Value, checks.Value, request.Compensate, request.IdempotencyKey, request.Agent, null, null, request.Approval == true, request.AmountUsd ?? 0),
        };
    }

    private async ValueTask<TraceOperation?> TryHandoffAsync(TraceOperationRequest request, string pointer)
    {
        if (!await TryNameAsync(request.From, pointer + "/from") || !await TryNameAsync(request.Key ?? "1", pointer + "/key") || await TryChecksAsync(request, pointer) is not { } checks
            || await TryValueAsync(request.Output, pointer + "/output") is not { } output || await TryValueAsync(request.Claims, pointer + "/claims") is not { } claims
            || !await call.TryComparedAsync(claims.Value, pointer + "/claims"))
        {
            return null;
        }

        return new TraceOperation(TraceWords.Record)
        {
            Name = "handoff:" + request.From,
            Key = request.Key ?? "1",
            Output = output.Value,
            InputDigest = "",
            Declared = new TracedDeclaration(TracedKinds.Handoff, EffectKind.None, checks.Value, null, null, request.From, claims.Value, request.To),
        };
    }

    private async ValueTask<TraceOperation?> TryReceiveAsync(TraceOperationRequest request, string pointer)
    {
        if (!await TryNameAsync(request.From, pointer + "/from") || !await TryNameAsync(request.Key ?? "1", pointer + "/key") || await TryChecksAsync(request, pointer) is not { } checks
            || await TryValueAsync(request.Seen, pointer + "/seen") is not { } seen || !await call.TryComparedAsync(seen.Value, pointer + "/seen"))
        {
            return null;
        }

        return new TraceOperation(TraceWords.Receive)
        {
            Name = "receive:" + request.From,
            Key = request.Key ?? "1",
            Output = seen.Value,
            InputDigest = "",
            Declared = new TracedDeclaration(TracedKinds.Receive, EffectKind.None, checks.Value, null, null, request.Agent),
        };
    }

    private async ValueTask<TraceOperation?> TryToldAsync(TraceOperationRequest request, string pointer)
    {
        if (request.Do == TraceWords.Fail && request.Failure is null)
        {
            await call.InvalidAsync(pointer + "/failure", "Say with 'failure' why there is no output.");
            return null;
        }

        if (request.Failure is { } failure && await FailureProblemAsync(failure, pointer + "/failure"))
        {
            return null;
        }

        return await TryValueAsync(request.Output, pointer + "/output") is not { } output
            ? null
            : new TraceOperation(request.Do!)
            {
                Lease = request.Sid,
                Output = output.Value,
                Status = request.Status,
                Effect = request.EffectId,
                Attempt = request.Attempt ?? 0,
                Failure = request.Failure is { } told ? new EffectFailure(
                    told.Class ?? FailureClasses.ToolError, told.Code ?? told.Class ?? FailureClasses.ToolError, ApiText(told.Message), told.MayHaveHappened ?? request.Do == TraceWords.Fail, null, told.Permanent ?? true) : null,
            };
    }

    private async ValueTask<bool> FailureProblemAsync(TraceFailureRequest failure, string pointer)
    {
        if (failure.Class is { } given && !FailureClasses.Groups.ContainsKey(given))
        {
            await call.InvalidAsync(pointer + "/class", $"There is no failure class '{ApiCall.Shorten(given)}'.");
            return true;
        }

        if (failure.Code is { Length: 0 or > TracedNames.LengthMax })
        {
            await call.InvalidAsync(pointer + "/code", "A code has 1 to 100 characters.");
            return true;
        }

        return false;
    }

    private static string ApiText(string message) => message.Length <= TextLimits.NoteCharactersMax ? message : message[..TextLimits.NoteCharactersMax];

    private async ValueTask<bool> TryNameAsync(string? name, string pointer)
    {
        if (name is not null && TracedNames.IsAllowed(name))
        {
            return true;
        }

        await call.InvalidAsync(pointer, string.Create(CultureInfo.InvariantCulture, $"A name has 1 to {TracedNames.LengthMax} of letters, digits, '_', ':', '-' and inner spaces; this is '{ApiCall.Shorten(name ?? "")}'."));
        return false;
    }

    /// <summary>Schema and constraints as one value; they stay in the record, so they are small.</summary>
    private async ValueTask<Optional?> TryChecksAsync(TraceOperationRequest request, string pointer)
    {
        var members = new List<(string Name, JsonElement Value)>();
        var sizeBytes = 0;
        foreach (var (name, given) in ((string, JsonElement?)[])[("constraints", Present(request.Constraints)), ("schema", Present(request.Schema))])
        {
            if (given is not { } value)
            {
                continue;
            }

            // Each by itself before they are put together: what a stranger sent may be no value at all (1e400, half a surrogate pair).
            if (!CanonicalJson.TryNormalize(value, out var canonical, out var problem, new JsonLimits { SizeMax = ChecksBytesMax }))
            {
                await call.InvalidAsync($"{pointer}/{name}", problem!.Message, problem.Code);
                return null;
            }

            if (PayloadReference.IsNamedIn(canonical))
            {
                await call.InvalidAsync($"{pointer}/{name}", $"The name '{PayloadReference.Member}' is reserved.", "reserved_name");
                return null;
            }

            members.Add((name, canonical));
            sizeBytes += JsonMarshal.GetRawUtf8Value(canonical).Length;
        }

        if (sizeBytes > ChecksBytesMax)
        {
            await call.InvalidAsync(pointer + "/schema", string.Create(CultureInfo.InvariantCulture, $"Schema and constraints have {sizeBytes} bytes, at most {ChecksBytesMax} are kept in a record."));
            return null;
        }

        return new Optional(members.Count == 0 ? null : JsonMake.Object([.. members]));
    }

    private async ValueTask<Optional?> TryValueAsync(JsonElement? given, string pointer)
    {
        if (Present(given) is not { } value)
        {
            return new Optional(null);
        }

        if (await call.TryInternAsync(value, pointer) is not { } interned)
        {
            return null;
        }

        foreach (var (digest, bytes) in interned.Stored ?? [])
        {
            _stored[digest] = bytes;
        }

        return new Optional(interned.Value);
    }

    private static JsonElement? Present(JsonElement? value) => value is { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } ? null : value;

    private static string DigestOf(JsonElement value) => PayloadReference.TryRead(value, out var digest, out _) ? digest : CanonicalJson.Digest(value);

    /// <summary>A value that may be absent, told apart from one that could not be read.</summary>
    private sealed record Optional(JsonElement? Value);
}
