using System.Globalization;
using Omium.Api.Http;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Executions;

/// <summary>Looking back: <c>GET /v1/executions/{id}/events · /state · /steps · /payloads/{digest} · /timeline · /graph · /diff · /verify</c>. None of them calls a tool or a model.</summary>
internal static class ExecutionHistoryEndpoints
{
    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/v1/executions/{id}/events", EventsAsync).As("list_events", "Records of the log, oldest first.")
            .QueryInteger("after", "Records after this one.", 0, long.MaxValue, 0).Paged(100, 1_000).Answers(ContractJson.Default.EventPage);
        routes.Map("GET", "/v1/executions/{id}/state", StateAsync).As("get_state", "The execution as it was after a record.")
            .QueryInteger("at", "The record; the last one when absent.", 1, long.MaxValue).Answers(ContractJson.Default.ExecutionView);
        routes.Map("GET", "/v1/executions/{id}/steps", StepsAsync).As("list_steps", "Visits of steps, oldest first.")
            .Paged(200, ExecutionViews.StepsMax).Answers(ContractJson.Default.StepPage);
        routes.Map("GET", "/v1/executions/{id}/payloads/{digest}", PayloadAsync).As("get_payload", "A large value whole, as canonical JSON.")
            .Answers(ContractJson.Default.JsonElement).Refuses("not_found");
        routes.Map("GET", "/v1/executions/{id}/steps/{step}/items", ItemsAsync).As("list_items", "Items of a for_each step, in the order of its list.")
            .QueryInteger("visit", "Visit of the step; the newest when absent.", 1, int.MaxValue).Query("status", "Only of this status.", [.. ItemViews.Statuses]).Paged()
            .Answers(ContractJson.Default.StepPage).Refuses("step_not_found");
        routes.Map("GET", "/v1/executions/{id}/timeline", TimelineAsync).As("get_timeline", "What happened, in lines for people.")
            .Query("items", "`all`: lines about single items too.", "all").Paged(1_000, 10_000).Answers(ContractJson.Default.TimelinePage);
        routes.Map("GET", "/v1/executions/{id}/graph", GraphAsync).As("get_graph", "Steps and edges as they stand.")
            .Answers(ContractJson.Default.GraphView);
        routes.Map("GET", "/v1/executions/{id}/diff", DiffAsync).As("diff_states", "What differs between the states after two records.")
            .QueryInteger("from", "First record; the one before the second when absent.", 1, long.MaxValue)
            .QueryInteger("to", "Second record; the last one when absent.", 1, long.MaxValue).Answers(ContractJson.Default.DiffView);
        routes.Map("GET", "/v1/executions/{id}/verify", VerifyAsync).As("verify_execution", "Folds and decides again from the log, and says whether it is what is stored.")
            .Answers(ContractJson.Default.VerifyView);
    }

    private static async Task EventsAsync(ApiCall call)
    {
        if (await call.TryExecutionAsync() is not { } cell || await call.TryIntegerAsync("limit", 100, 1, 1_000) is not { } limit
            || await call.TryIntegerAsync(call.Query("cursor") is null ? "after" : "cursor", 0, 0, long.MaxValue) is not { } after)
        {
            return;
        }

        var records = await call.Services.Advancer.ReadAsync(cell.Stream, after, (int)limit + 1, call.Cancellation);
        var page = records.Take((int)limit).Select(entry => EventViews.View(cell.Lineage, entry.Record, entry.Body)).ToArray();
        var next = records.Count > limit ? page[^1].Seq.ToString(CultureInfo.InvariantCulture) : null;
        await call.JsonAsync(new Page<EventRecord>(page, next), ContractJson.Default.EventPage);
    }

    private static async Task StateAsync(ApiCall call)
    {
        if (await call.TryExecutionAsync() is not { } cell || await call.TryIntegerAsync("at", cell.Seq, 1, cell.Seq) is not { } at)
        {
            return;
        }

        await call.JsonAsync(await ViewAtAsync(call, cell, at), ContractJson.Default.ExecutionView);
    }

    /// <summary>Items of a for_each step in the order of its list: <c>?visit=&amp;status=&amp;limit=&amp;cursor=</c>; the newest visit when none is named.</summary>
    private static async Task ItemsAsync(ApiCall call)
    {
        if (await call.TryExecutionAsync() is not { } cell || await call.TryIntegerAsync("limit", 50, 1, 200) is not { } limit
            || await call.TryIntegerAsync("cursor", 0, 0, int.MaxValue) is not { } from || !await call.TryWordAsync("status", ItemViews.Statuses)
            || await call.TryIntegerAsync("visit", cell.State.Latest.GetValueOrDefault(call.Route("step")), 1, int.MaxValue) is not { } number)
        {
            return;
        }

        var key = new VisitKey(call.Route("step"), (int)number);
        if (!cell.State.Visits.TryGetValue(key, out var visit) || cell.Plan!.Expands(key) is false)
        {
            await call.ProblemAsync("step_not_found", $"There is no visit {number} of a for_each step '{ApiCall.Shorten(key.Step)}' in this execution.");
            return;
        }

        var (page, next) = ItemViews.Page(cell.State, visit, (int)from, (int)limit, call.Query("status"));
        var payloads = await AnswerPayloads.LoadAsync(call.Services, cell, AnswerPayloads.Present(page.SelectMany(AnswerPayloads.ValuesOf)), call.Cancellation);
        await call.JsonAsync(
            new Page<StepView>([.. page.Select(item => ExecutionViews.Step(cell.State, item, cell.Plan!, payloads))], next?.ToString(CultureInfo.InvariantCulture)), ContractJson.Default.StepPage);
    }

    private static async Task DiffAsync(ApiCall call)
    {
        if (await call.TryExecutionAsync() is not { } cell || await call.TryIntegerAsync("to", cell.Seq, 1, cell.Seq) is not { } to
            || await call.TryIntegerAsync("from", Math.Max(1, to - 1), 1, cell.Seq) is not { } from)
        {
            return;
        }

        var diff = DiffViews.View(from, await ViewAtAsync(call, cell, from), to, await ViewAtAsync(call, cell, to));
        await call.JsonAsync(diff, ContractJson.Default.DiffView);
    }

    private static async Task<ExecutionView> ViewAtAsync(ApiCall call, ExecutionCell cell, long at)
    {
        var state = await call.Services.Advancer.StateAtAsync(cell.Stream, at, call.Cancellation);
        var plan = await call.Services.Plans.GetAsync(call.Caller.Tenant, state.SpecDigest, call.Cancellation);
        var payloads = await AnswerPayloads.LoadAsync(call.Services, cell, state, call.Cancellation);
        return ExecutionViews.View(state, at, plan, payloads) with { Id = cell.Stream.Id, Fork = ForkOf(cell) };
    }

    /// <summary>Before a fork's own first record the state is its source's: it is shown as what the fork begins with.</summary>
    private static ForkView? ForkOf(ExecutionCell cell) => cell.State.Fork is { } fork ? new ForkView(fork.From, fork.At, fork.Mode) : null;

    /// <summary>A large value whole, as canonical JSON: what an answer shows as <c>{"omium_ref", "size"}</c>. References inside it stay references.</summary>
    private static async Task PayloadAsync(ApiCall call)
    {
        if (await call.TryExecutionAsync() is not { } cell)
        {
            return;
        }

        var digest = call.Route("digest");
        var isDigest = digest.Length == 64 && digest.All(char.IsAsciiHexDigitLower);
        if (!isDigest || await call.Services.Advancer.ReadPayloadAsync(cell, digest, call.Cancellation) is not { } value)
        {
            await call.ProblemAsync("not_found", $"The execution holds no value {ApiCall.Shorten(digest)}.");
            return;
        }

        call.Context.Response.ContentType = "application/json";
        call.Context.Response.ContentLength = value.Length;
        call.Context.Response.Headers.CacheControl = "no-store";
        call.Context.Response.Headers.XContentTypeOptions = "nosniff";
        await call.Context.Response.Body.WriteAsync(value, call.Cancellation);
    }

    /// <summary>Visits of steps, oldest first, page by page; the cursor is the order of the last one shown.</summary>
    private static async Task StepsAsync(ApiCall call)
    {
        if (await call.TryExecutionAsync() is not { } cell || await call.TryIntegerAsync("limit", 200, 1, ExecutionViews.StepsMax) is not { } limit
            || await call.TryIntegerAsync("cursor", 0, 0, int.MaxValue) is not { } after)
        {
            return;
        }

        var state = cell.State;
        var found = ExecutionViews.Visits(state, after).Take((int)limit + 1).ToArray();
        var visits = found.Take((int)limit).ToArray();
        var payloads = await AnswerPayloads.LoadAsync(call.Services, cell, visits, call.Cancellation);
        var next = found.Length > visits.Length ? visits[^1].Ordinal.ToString(CultureInfo.InvariantCulture) : null;
        await call.JsonAsync(new Page<StepView>([.. visits.Select(visit => ExecutionViews.Step(state, visit, cell.Plan!, payloads))], next), ContractJson.Default.StepPage);
    }

    /// <summary>Whole records, as many as fit the limit; the cursor is the last record told.</summary>
    private static async Task TimelineAsync(ApiCall call)
    {
        if (await call.TryExecutionAsync() is not { } cell || !await call.TryWordAsync("items", "all")
            || await call.TryIntegerAsync("limit", 1_000, 1, 10_000) is not { } limit || await call.TryIntegerAsync("cursor", 0, 0, long.MaxValue) is not { } told)
        {
            return;
        }

        var shown = new TimelineItems(call.Query("items") == "all");
        var timeline = new TimelineViews();
        var lines = new List<TimelineEntry>();
        await foreach (var (record, body) in ExecutionHistory.ReadAsync(call.Services, cell.Stream))
        {
            var from = EventViews.InheritedFrom(cell.Lineage, record.Seq);
            var next = shown.Of(timeline.Lines(record, body)).Select(line => from is null ? line : line with { InheritedFrom = from }).ToArray(); // From the first: a line may name what an earlier record said.
            if (record.Seq > told && lines.Count > 0 && lines.Count + next.Length > limit)
            {
                await call.JsonAsync(new Page<TimelineEntry>(lines, lines[^1].Seq.ToString(CultureInfo.InvariantCulture)), ContractJson.Default.TimelinePage);
                return;
            }

            lines.AddRange(record.Seq > told ? next : []);
        }

        await call.JsonAsync(new Page<TimelineEntry>(lines, null), ContractJson.Default.TimelinePage);
    }

    private static async Task GraphAsync(ApiCall call)
    {
        if (await call.TryExecutionAsync() is { } cell)
        {
            var state = cell.State;
            var payloads = await AnswerPayloads.LoadAsync(call.Services, cell, state.Visits.Values.Select(visit => visit.Output).OfType<System.Text.Json.JsonElement>(), call.Cancellation);
            await call.JsonAsync(GraphViews.View(state, cell.Plan!, payloads.ValuesFor(cell.Plan!)), ContractJson.Default.GraphView);
        }
    }

    /// <summary>Reads past every cache: an erased or damaged execution, which cannot be loaded any more, is answered all the same.</summary>
    private static async Task VerifyAsync(ApiCall call)
    {
        var id = call.Route("id");
        var report = ExecutionIds.IsWellFormed(id) ? await call.Services.Verifier.VerifyAsync(new StreamId(call.Caller.Tenant, id), call.Cancellation) : null;
        if (report is null)
        {
            await call.ProblemAsync("execution_not_found", $"There is no execution {ApiCall.Shorten(id)}.");
            return;
        }

        var verdict = report.Verdict switch
        {
            VerifyVerdict.Identical => "identical",
            VerifyVerdict.Consistent => "consistent",
            VerifyVerdict.Erased => "erased",
            _ => "corrupt",
        };
        await call.JsonAsync(new VerifyView(verdict, report.Records, report.Detail), ContractJson.Default.VerifyView);
    }
}
