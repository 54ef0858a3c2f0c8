using System.Text.Json;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Contracts.Reviews;
using Omium.Contracts.Workflows;
using Omium.Tracing;
using Omium.Transport;

namespace Omium;

/// <summary>
/// Omium, from a .NET program: runs programs as traced executions, starts saved workflows, decides reviews. Keep one for the process; it is safe to use from many
/// threads. What the server refuses is an <see cref="OmiumException"/> of one readable line.
/// </summary>
public sealed class OmiumClient : IDisposable
{
    private static readonly string[] Ended = ["succeeded", "failed", "cancelled"];
    private static readonly string[] LeaveOpen =
        ["server_unreachable", "unauthenticated", "forbidden", "CREDITS_EXHAUSTED", "needs_person", "replay_mismatch", "task_fenced", "execution_ended"];

    private readonly OmiumOptions _options;
    private readonly OmiumTransport _transport;

    /// <summary>A client for the address and key that are found (docs/reference/cli.md#address-and-key).</summary>
    /// <exception cref="NotAllowedException">No key is known.</exception>
    public OmiumClient()
        : this(new OmiumOptions())
    {
    }

    /// <summary>A client with options and what undoes transactions.</summary>
    public OmiumClient(OmiumOptions options, Compensations? compensations = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, Compensations) = (options, compensations ?? new Compensations());
        _transport = new OmiumTransport(options);
    }

    /// <summary>What undoes transactions, by name. Register all before a program runs.</summary>
    public Compensations Compensations { get; }

    internal OmiumTransport Transport => _transport;

    internal OmiumOptions Options => _options;

    /// <summary>
    /// Runs a program as a traced execution. Started again with the same execution id, its finished steps answer from the record; when a person takes back what it
    /// did, its compensations run, newest first, and it is run again from its start. An execution that has succeeded answers its output, and nothing runs.
    /// </summary>
    /// <param name="name">What the execution is called.</param>
    /// <param name="program">The program.</param>
    /// <param name="run">Which execution.</param>
    /// <param name="cancellation">Stops the program; the execution stays open, to be gone on with.</param>
    public async Task<T> RunAsync<T>(string name, Func<TracedExecution, CancellationToken, Task<T>> program, RunOptions? run = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        await using var session = new TracedSession(_transport, _options, Compensations, name);
        await session.StartAsync(run ?? new RunOptions(), cancellation);
        if (session.Status == "succeeded")
        {
            return session.Read<T>(session.Output, "the output");
        }

        var execution = new TracedExecution(session);
        while (true)
        {
            try
            {
                var output = await program(execution, cancellation);
                if (await session.CompleteAsync(session.Written(output, "the output"), null, cancellation))
                {
                    return output;
                }
            }
            catch (BeginAnewException)
            {
                // What was taken back is undone below, and runs again.
            }
            catch (Exception failed) when (!cancellation.IsCancellationRequested && !(failed is OmiumException { Code: var code } && LeaveOpen.Contains(code)))
            {
                if (await session.CompleteAsync(null, Failures.Of(failed), cancellation))
                {
                    throw;
                }
            }

            await session.BeginAnewAsync(cancellation);
        }
    }

    /// <summary>Runs an agent as a traced execution of its name.</summary>
    public Task<TOutput> RunAsync<TInput, TOutput>(Agent<TInput, TOutput> agent, TInput input, RunOptions? run = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(agent);
        return RunAsync(agent.Name, (execution, token) => agent.TakePartAsync(execution, input, token), run, cancellation);
    }

    /// <summary>Starts a saved workflow; its id.</summary>
    /// <param name="workflow">Name.</param>
    /// <param name="input">Input; null = <c>{}</c>.</param>
    /// <param name="startKey">The same key always means the same execution.</param>
    /// <param name="version">Saved version; null = the newest.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<string> StartWorkflowAsync(string workflow, object? input = null, string? startKey = null, int? version = null, CancellationToken cancellation = default)
    {
        var request = new StartExecutionRequest(workflow, version, input is null ? null : Written(input), startKey);
        return (await _transport.PostAsync("v1/executions", request, ContractJson.Default.StartExecutionRequest, ContractJson.Default.ExecutionView, cancellation)).Id;
    }

    /// <summary>Starts a saved workflow and waits until it has ended; its output.</summary>
    /// <exception cref="ExecutionFailedException">It has failed or was cancelled.</exception>
    /// <exception cref="NeedsPersonException">It waits for a person, for longer than <see cref="OmiumOptions.WaitForPerson"/>.</exception>
    public async Task<T> RunWorkflowAsync<T>(string workflow, object? input = null, string? startKey = null, CancellationToken cancellation = default)
    {
        var id = await StartWorkflowAsync(workflow, input, startKey, cancellation: cancellation);
        var waitingSince = 0L;
        for (var wait = TimeSpan.FromMilliseconds(20); ; wait = TimeSpan.FromTicks(Math.Min(wait.Ticks * 2, TimeSpan.TicksPerSecond)))
        {
            var view = await GetExecutionAsync(id, cancellation);
            if (Ended.Contains(view.Status))
            {
                return view.Status == "succeeded"
                    ? view.Output is { } output ? output.Deserialize<T>(_options.Json)! : default!
                    : throw new ExecutionFailedException($"{workflow} ({id}) is {view.Status}{(view.Failure is { } failure ? $": {failure.Step}: {failure.Message}" : "")}", view);
            }

            waitingSince = view.OpenReviews.Count == 0 ? 0 : waitingSince == 0 ? _options.Time.GetTimestamp() : waitingSince;
            if (waitingSince != 0 && _options.WaitForPerson is { } patience && _options.Time.GetElapsedTime(waitingSince) >= patience)
            {
                throw new NeedsPersonException($"{workflow} ({id}) waits for a person: decide it with 'omium approve {id}'", view.OpenReviews[0]);
            }

            await Task.Delay(wait, _options.Time, cancellation);
        }
    }

    /// <summary>An execution as it is now.</summary>
    public Task<ExecutionView> GetExecutionAsync(string id, CancellationToken cancellation = default) =>
        _transport.GetAsync($"v1/executions/{Uri.EscapeDataString(id)}", ContractJson.Default.ExecutionView, cancellation);

    /// <summary>A review.</summary>
    public Task<ReviewView> GetReviewAsync(string id, CancellationToken cancellation = default) =>
        _transport.GetAsync($"v1/reviews/{Uri.EscapeDataString(id)}", ContractJson.Default.ReviewView, cancellation);

    /// <summary>Decides a review as it was shown.</summary>
    public Task<ReviewView> DecideAsync(string review, DecideReviewRequest decision, CancellationToken cancellation = default) => _transport.PostAsync(
        $"v1/reviews/{Uri.EscapeDataString(review)}/decide", decision, ContractJson.Default.DecideReviewRequest, ContractJson.Default.ReviewView, cancellation);

    /// <summary>Takes back what came after a checkpoint or step; with <see cref="RollbackRequest.Preview"/> only shows what would be.</summary>
    public Task<RollbackView> RollBackAsync(string execution, RollbackRequest request, CancellationToken cancellation = default) => _transport.PostAsync(
        $"v1/executions/{Uri.EscapeDataString(execution)}/rollback", request, ContractJson.Default.RollbackRequest, ContractJson.Default.RollbackView, cancellation);

    /// <summary>Saves a workflow.</summary>
    /// <exception cref="ApiException">It does not pass the static checks; the message names the places.</exception>
    public Task<WorkflowView> SaveWorkflowAsync(JsonElement spec, CancellationToken cancellation = default) => _transport.PostAsync(
        "v1/workflows", new SaveWorkflowRequest(spec), ContractJson.Default.SaveWorkflowRequest, ContractJson.Default.WorkflowView, cancellation);

    /// <inheritdoc/>
    public void Dispose() => _transport.Dispose();

    private JsonElement Written(object value) => JsonSerializer.SerializeToElement(value, value.GetType(), _options.Json);
}
