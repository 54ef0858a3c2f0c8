using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Omium.Azure.Lifecycle;
using Omium.Azure.Pump;
using Omium.Azure.Storage;
using Omium.Runtime.Billing;
using Omium.Runtime.Effects;
using Omium.Runtime.Effects.Mcp;
using Omium.Runtime.Effects.Models;
using Omium.Runtime.Effects.Notifications;
using Omium.Runtime.Effects.Secrets;
using Omium.Runtime.Effects.Tools;
using Omium.Runtime.Executions;
using Omium.Runtime.Resources;
using Omium.Runtime.Workers;

namespace Omium.Azure.Hosting;

/// <summary>
/// Everything under the API of one host on Azure: the stores, the writer, the runners of effects, the pump's activities, the sweeper and the
/// publisher. Any number of hosts have one each over the same account.
/// </summary>
public sealed class AzurePlatform : IAsyncDisposable
{
    /// <summary>
    /// Added to a call's time-out before its intent is in doubt. A throttled append takes seconds: a runner whose intent took longer than this to be
    /// recorded does not call.
    /// </summary>
    public static readonly TimeSpan IntentMargin = TimeSpan.FromSeconds(30);

    /// <summary>How soon who waits for a lock looks again when nobody tells it: each look is an orchestration's turn.</summary>
    public static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(15);

    private readonly CancellationTokenSource _stopping = new();
    private readonly OpenAiModelClient _model;
    private readonly HttpToolClient _http;
    private readonly McpToolClient _mcp;
    private readonly Dictionary<string, WebhookChannel> _webhooks;
    private Task _sweeping = Task.CompletedTask;

    private AzurePlatform(AzureSettings settings, AzureStore store, IConfiguration configuration, IPumpHost pumps, ILoggerFactory logs)
    {
        Store = store;
        Plans = new PlanCache(store.Documents);
        Clock = new SteadyClock(TimeProvider.System);
        Settings = settings;
        Advancer = new Advancer(store.Log, store.Payloads, Plans, settings.Keys, Clock) { IsAlone = false };
        Resources = new ResourceAdvancer(store.Log, settings.Keys, Clock) { IsAlone = false, Storage = Advancer.Storage };
        Aliases = new ScopeAliases(store.Documents);
        var network = ToolNetworkOptions.From(configuration);
        _model = new OpenAiModelClient(ModelOptions.From(configuration));
        var secrets = new StoredSecrets(store.Documents, settings.Keys);
        _http = new HttpToolClient(network, secrets);
        _mcp = new McpToolClient(network, secrets, [], ""); // By address only: a function app starts no programs.
        _webhooks = WebhookOptions.From(configuration).ToDictionary(webhook => webhook.Name, webhook => new WebhookChannel(webhook, network), StringComparer.Ordinal);
        var channels = new NotificationChannels(
            new TraceChannel(logs.CreateLogger<TraceChannel>()), _webhooks.ToDictionary(pair => pair.Key, INotificationChannel (pair) => pair.Value, StringComparer.Ordinal));
        Billing = BillingOptions.From(configuration);
        Ledger = new LedgerAdvancer(store.Log, settings.Keys, Clock) { IsAlone = false, Storage = Advancer.Storage };
        LedgerQueue = new LedgerQueue(Ledger) { Opening = _ => Billing.Opening };
        Credits = new ExecutionCredits(Advancer, Ledger, LedgerQueue, logs.CreateLogger<ExecutionCredits>())
        {
            Prices = Billing.MetersModel ? PriceTable.Current : null, DefaultModel = ModelOptions.From(configuration).Model ?? "",
        };
        Credits.Attach();
        var functions = new FunctionRegistry();
        functions.Register("noop", static (arguments, _) => new(arguments));
        var owner = "host-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        Runner = new EffectRunner(
            Advancer, new SharedRunner(Advancer, Resources, Aliases) { LookAgainAfter = LookAgainAfter }, _model, new ToolClients(_http, new FunctionToolClient(functions), _mcp), channels, owner)
        {
            IntentMargin = IntentMargin,
            Credits = Credits,
        };
        Engine = new PumpEngine(Advancer, Runner, pumps, logs.CreateLogger<PumpEngine>());
        Tasks = new TaskBoard(Clock)
        {
            Lease = TimeSpan.FromMilliseconds(WorkerOptions.From(configuration).LeaseMs),
            Shared = new SharedTasks(store.Documents, Advancer),
            Submit = (stream, command) => Engine.SubmitAsync(stream, command),
            Current = (cell, effect) => Runner.Shared.CurrentAsync(cell, effect, CancellationToken.None),
        };
        Engine.Tasks = Tasks;
        Activities = new PumpActivities(Advancer, Runner, pumps) { Tasks = Tasks };
        Sweeper = new Sweeper(store.Maintenance, store.Index, Advancer, pumps, logs.CreateLogger<Sweeper>());
        Publisher = settings.Lifecycle is { } target
            ? new LifecyclePublisher(store.Outbox, store.Log, settings.Keys, new ServiceBusSender(target), logs.CreateLogger<LifecyclePublisher>())
            : null;
    }

    /// <summary>What the host was told.</summary>
    public AzureSettings Settings { get; }

    /// <summary>The stores.</summary>
    public AzureStore Store { get; }

    /// <summary>Saved workflows as they run.</summary>
    public PlanCache Plans { get; }

    /// <summary>The one clock of everything in this process.</summary>
    public SteadyClock Clock { get; }

    /// <summary>The writer of executions.</summary>
    public Advancer Advancer { get; }

    /// <summary>The writer of what executions share.</summary>
    public ResourceAdvancer Resources { get; }

    /// <summary>Other names of shared scopes.</summary>
    public ScopeAliases Aliases { get; }

    /// <summary>Runs effects.</summary>
    public EffectRunner Runner { get; }

    /// <summary>How this installation bills.</summary>
    public BillingOptions Billing { get; }

    /// <summary>The writer of ledgers.</summary>
    public LedgerAdvancer Ledger { get; }

    /// <summary>Gathers what is posted to them.</summary>
    public LedgerQueue LedgerQueue { get; }

    /// <summary>What executions reserve and are charged.</summary>
    public ExecutionCredits Credits { get; }

    /// <summary>Takes commands.</summary>
    public PumpEngine Engine { get; }

    /// <summary>What pumps call.</summary>
    public PumpActivities Activities { get; }

    /// <summary>What waits for workers that poll this host.</summary>
    public TaskBoard Tasks { get; }

    /// <summary>Finds what was lost.</summary>
    public Sweeper Sweeper { get; }

    /// <summary>Publishes lifecycle events; null where no topic is configured.</summary>
    public LifecyclePublisher? Publisher { get; }

    /// <summary>The model client, for trying fixes beside an execution.</summary>
    public IModelClient Model => _model;

    /// <summary>Opens the account and puts the platform together over it.</summary>
    /// <exception cref="FormatException">A setting is missing or cannot be read.</exception>
    /// <exception cref="Omium.Runtime.Ports.StorageUnavailableException">The account does not answer, or refuses this identity.</exception>
    public static async Task<AzurePlatform> CreateAsync(
        AzureSettings settings, IConfiguration configuration, IPumpHost pumps, ILoggerFactory logs, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var store = await AzureStore.OpenAsync(settings.Storage, settings.Store, cancellation);
        return new AzurePlatform(settings, store, configuration, pumps, logs);
    }

    /// <summary>
    /// Begins to hold open reservations of the ledgers that this host uses against what executions say, until it is disposed. Each host does so by itself: a
    /// timer of the platform runs on one of them, which may use others.
    /// </summary>
    public void BeginSweeping() => _sweeping = Task.Run(() => Credits.RunAsync(Clock, _stopping.Token));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _sweeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
        await Credits.WaitAsync(TimeSpan.FromSeconds(2));
        Tasks.Dispose();
        _model.Dispose();
        _http.Dispose();
        await _mcp.DisposeAsync();
        foreach (var webhook in _webhooks.Values)
        {
            webhook.Dispose();
        }
    }
}
