using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Ledger;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Billing;

/// <summary>
/// Calls of models through Omium's own account: the price of the longest answer there can be is reserved before the call, and what the record of the
/// answer says was read and written is charged, whether the attempt holds or fails. A call whose answer was never recorded costs nothing.
/// </summary>
public sealed partial class ExecutionCredits
{
    /// <summary>Tokens that an answer may have where neither the agent nor the endpoint says.</summary>
    private const int OutputTokensMax = 4_096;

    /// <summary>The price table by which models are charged; null (default): tenants ask with keys of their own, which costs nothing here.</summary>
    public PriceTable? Prices { get; init; }

    /// <summary>The model that agents ask who name none.</summary>
    public string DefaultModel { get; init; } = "";

    /// <summary>Reserves a call's price. False: it cannot be paid, and the execution waits for credits; <paramref name="waits"/> is its record.</summary>
    public async ValueTask<(bool IsPaid, AdvanceResult? Waits)> TryReserveAsync(ExecutionCell cell, string effect, ModelRequest request, CancellationToken cancellation)
    {
        if (Prices is null || cell.State.Credits is null)
        {
            return (true, null);
        }

        var price = Prices.PriceOf(request.Model ?? DefaultModel);
        var micro = Math.Max(1, price.Of(InputTokensOf(request), request.AnswerTokensMax ?? OutputTokensMax));
        var reply = await queue.PostAsync(cell.Stream.Tenant, new ReserveCredits(OwnerOf(cell.Stream, effect), 1, await KeyOfAsync(cell, cancellation), micro, micro, price));
        return reply.Rejection is null ? (true, null) : (false, await advancer.AdvanceAsync(cell.Stream, new AwaitCredits(advancer.NowMs, effect, micro), null, cancellation));
    }

    /// <summary>
    /// Reserves the price of a question that is asked beside an execution (a fix on trial), for whoever asks. A rejection: it cannot be paid, and must not
    /// be asked. Neither: nothing is charged here.
    /// </summary>
    /// <param name="cell">The execution.</param>
    /// <param name="trial">Names the question within the execution; another one for each.</param>
    /// <param name="key">Who asks.</param>
    /// <param name="capCredits">What that key may use in a month; null = no limit of its own.</param>
    /// <param name="request">The question.</param>
    public async ValueTask<(Reservation? Reserved, Rejection? Refused)> ReserveTrialAsync(ExecutionCell cell, string trial, string key, long? capCredits, ModelRequest request)
    {
        if (Prices is null || cell.State.Credits is null)
        {
            return (null, null);
        }

        await TellCapAsync(cell.Stream.Tenant, key, capCredits);
        var price = Prices.PriceOf(request.Model ?? DefaultModel);
        var micro = Math.Max(1, price.Of(InputTokensOf(request), request.AnswerTokensMax ?? OutputTokensMax));
        var reply = await queue.PostAsync(cell.Stream.Tenant, new ReserveCredits(OwnerOf(cell.Stream, trial), 1, key, micro, micro, price));
        return (reply.Reservation, reply.Rejection);
    }

    /// <summary>The question was answered, or will not be: its tokens are charged, the rest goes back. Not told, the next sweep gives it back whole.</summary>
    public Task ChargeTrialAsync(ExecutionCell cell, Reservation reserved, EffectOutcome outcome) => queue.PostAsync(cell.Stream.Tenant, Charged(reserved, outcome));

    /// <summary>The answer is on record: its tokens are charged. What was not recorded (another runner's was) is left to the sweep.</summary>
    public void Charge(ExecutionCell cell, string effect, EffectOutcome outcome, AdvanceResult? recorded)
    {
        if (Prices is not null && recorded is { Changed: true })
        {
            _ = ChargeAsync(cell.Stream, effect, outcome);
        }
    }

    private async Task ChargeAsync(StreamId stream, string effect, EffectOutcome outcome)
    {
        using var piece = _underWay.Begin();
        var owner = OwnerOf(stream, effect);
        var state = await ledger.StateAsync(stream.Tenant);
        if (state.Reservations.GetValueOrDefault(owner) is { } open)
        {
            await SettleAsync(stream.Tenant, Charged(open, outcome));
        }
    }

    /// <summary>Of a model call's reservation: charged when its answer is on record, released when none will come, left alone while one may.</summary>
    private async ValueTask<SettleCredits?> ModelClaimAsync(ExecutionCell cell, Reservation open, string effect, CancellationToken cancellation)
    {
        if (cell.Pending.Any(pending => pending.Id == effect))
        {
            return null;
        }

        const int PageRecords = 500;
        var after = 0L;
        while (true)
        {
            var page = await advancer.ReadAsync(cell.Stream, after, PageRecords, cancellation);
            foreach (var (record, body) in page)
            {
                after = record.Seq;
                if (body.Command is SettleEffect settled && settled.Effect == effect)
                {
                    return Charged(open, settled.Outcome);
                }
            }

            if (page.Count < PageRecords)
            {
                return Unknown(open);
            }
        }
    }

    private static SettleCredits Charged(Reservation open, EffectOutcome outcome) =>
        new(open.Owner, open.Token, 0, 0, outcome.Answer?.InputTokens ?? 0, outcome.Answer?.OutputTokens ?? 0);

    private static string OwnerOf(StreamId stream, string effect) => $"{stream.Id}/{effect}";

    /// <summary>Tokens that a request may be read as: one for each three bytes is more than any text of a language is counted as, and the frame of each message.</summary>
    private static long InputTokensOf(ModelRequest request) => 64 + (JsonSerializer.SerializeToUtf8Bytes(request, KernelJson.Default.ModelRequest).LongLength / 3);
}
