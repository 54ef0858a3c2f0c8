using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Omium.Api.Http;

namespace Omium.Api.Reviews;

/// <summary>
/// Decisions that reach a host as events. Each is sent to <c>POST /v1/approvals</c> as it came, so that it is judged, recorded and counted like one that
/// came over HTTP; nothing is decided here.
/// </summary>
public sealed partial class ApprovalEvents(ApiDispatcher api, ILogger<ApprovalEvents> logger)
{
    private static readonly Dictionary<string, string> NoHeaders = [];

    /// <summary>
    /// Delivers one. True: it was decided so (also when it had been, by the same person). False: it was refused for good, which is an answer: the review is
    /// closed, the token is none or its time is over. Delivered twice it decides once.
    /// </summary>
    /// <param name="approval">Data of the event: <c>{review_id, approval_token}</c>. What is no such thing is refused.</param>
    /// <param name="cancellation">Gives up; deliver it again.</param>
    /// <exception cref="ApprovalNotDeliveredException">It was neither taken nor refused (no store, too many requests, a rollback under way): deliver it again.</exception>
    public async Task<bool> DeliverAsync(JsonElement approval, CancellationToken cancellation = default)
    {
        var body = Encoding.UTF8.GetBytes(approval.ValueKind == JsonValueKind.Undefined ? "null" : approval.GetRawText());
        var (status, answer) = await api.SendAsync("POST", "/v1/approvals", NoHeaders, body, cancellation);
        if (status == 200)
        {
            return true;
        }

        var code = CodeOf(answer);
        if (!IsRefusedForGood(status, code))
        {
            throw new ApprovalNotDeliveredException($"The approval was answered {status}: {code}");
        }

        LogRefused(logger, status, code);
        return false;
    }

    /// <summary>False for what another time may answer otherwise: no store, too many requests, a rollback that has to be complete first.</summary>
    internal static bool IsRefusedForGood(int status, string code) => status is >= 400 and < 500 and not 429 && code != "rollback_in_progress";

    /// <summary>The code alone: an answer may quote what was sent.</summary>
    private static string CodeOf(string answer)
    {
        try
        {
            using var problem = JsonDocument.Parse(answer);
            return problem.RootElement.GetProperty("code").GetString() ?? "";
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return "";
        }
    }

    [LoggerMessage(3011, LogLevel.Warning, "An approval that came as an event was refused: {Status} {Code}")]
    private static partial void LogRefused(ILogger logger, int status, string code);
}

/// <summary>An approval was neither taken nor refused.</summary>
public sealed class ApprovalNotDeliveredException(string message) : Exception(message);
