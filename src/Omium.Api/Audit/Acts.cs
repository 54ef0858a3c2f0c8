using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Omium.Api.Http;
using Omium.Kernel.Json;
using Omium.Runtime.Audit;

namespace Omium.Api.Audit;

/// <summary>From where a request came: about a person, so it is sealed wherever it is kept.</summary>
internal sealed record Origin(string? Address, string? Agent)
{
    /// <summary>Omium itself, or nobody knows.</summary>
    public static readonly Origin None = new(null, null);

    private const int AgentLengthMax = 200, AddressLengthMax = 64;

    /// <summary>The origin of a request. A header names the address only where the options say that a proxy of ours sets it.</summary>
    public static Origin Of(HttpContext context, OmiumApiOptions options)
    {
        var address = context.Connection.RemoteIpAddress?.ToString();
        if (options.ClientAddressHeader is { } header && context.Request.Headers[header].ToString() is { Length: > 0 } given)
        {
            address = given[(given.LastIndexOf(',') + 1)..].Trim(); // The nearest proxy writes last; what stands before it is the client's word.
        }

        return new Origin(Plain(address, AddressLengthMax), Plain(context.Request.Headers.UserAgent.ToString(), AgentLengthMax));
    }

    /// <summary>The data of an audit row.</summary>
    public JsonElement ToJson() => JsonMake.Object(("address", JsonMake.Text(Address ?? "")), ("agent", JsonMake.Text(Agent ?? "")));

    private static string? Plain(string? text, int lengthMax) =>
        string.IsNullOrEmpty(text) ? null : string.Concat(text.Where(letter => !char.IsControl(letter)).Take(lengthMax));
}

/// <summary>Makes entries of the audit trail, what is personal in them sealed.</summary>
internal sealed class Acts(PersonVault persons, TimeProvider time)
{
    /// <summary>Who did it when a policy did.</summary>
    public const string Omium = "omium";

    private const int IdDigits = 20;

    /// <summary>An entry of now.</summary>
    /// <param name="tenant">Whose trail it is for.</param>
    /// <param name="action">What.</param>
    /// <param name="actor">Who.</param>
    /// <param name="subject">To whom or what.</param>
    /// <param name="detail">More; nothing secret, nothing personal.</param>
    /// <param name="origin">From where; sealed with the actor's key.</param>
    /// <param name="about">Data about another person, sealed with theirs.</param>
    /// <param name="cancellation">Gives up.</param>
    public async ValueTask<AuditEntry> MakeAsync(
        string tenant, string action, string actor, string subject, JsonElement? detail, Origin origin, (string Person, JsonElement Data)? about = null, CancellationToken cancellation = default)
    {
        var personal = new List<PersonalPart>(2);
        if (origin != Origin.None && await persons.PartAsync(tenant, actor, origin.ToJson(), cancellation) is { } from)
        {
            personal.Add(from);
        }

        if (about is var (person, data) && await persons.PartAsync(tenant, person, data, cancellation) is { } whom)
        {
            personal.Add(whom);
        }

        return new AuditEntry($"evt_{ExecutionIds.Random(IdDigits)}", time.GetUtcNow().ToUnixTimeMilliseconds(), action, actor, subject)
        {
            Detail = detail,
            Personal = personal.Count == 0 ? null : personal,
        };
    }

    /// <summary>Detail of texts.</summary>
    public static JsonElement Detail(params ReadOnlySpan<(string Name, string? Value)> members)
    {
        var built = new (string, JsonElement)[members.Length];
        for (var at = 0; at < members.Length; at++)
        {
            built[at] = (members[at].Name, members[at].Value is { } text ? JsonMake.Text(text) : default);
        }

        return JsonMake.Object(built);
    }
}
