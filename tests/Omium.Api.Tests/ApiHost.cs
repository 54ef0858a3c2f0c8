using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Omium.Api.Keys;
using Omium.Api.Tests.OpenApi;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Embedded.Engine;
using Omium.Embedded.Storage;
using Omium.Runtime.Billing;
using Omium.Runtime.Effects;
using Omium.Runtime.Executions;
using Omium.Runtime.Resources;
using Omium.Runtime.Ports;
using Omium.Runtime.Search;
using Omium.Runtime.Security;

namespace Omium.Api.Tests;

/// <summary>The API on a real socket, over a real store and the real engine; only the model and the tools are played.</summary>
public sealed class ApiHost : IAsyncDisposable
{
    private readonly string _directory;
    private readonly EmbeddedEngine _engine;
    private readonly WebApplication _application;

    private ApiHost(string directory, EmbeddedStore store, EmbeddedEngine engine, WebApplication application, PlayedModel model, PlayedTools tools)
    {
        (_directory, Store, _engine, _application, Model, Tools) = (directory, store, engine, application, model, tools);
        Address = new Uri(application.Urls.First());
    }

    public EmbeddedStore Store { get; }

    public PlayedModel Model { get; }

    public PlayedTools Tools { get; }

    /// <summary>What the server and its engine logged as failures.</summary>
    public required LoggedFailures Failures { get; init; }

    public BillingService Billing => _application.Services.GetRequiredService<BillingService>();

    public LedgerQueue Queue => _application.Services.GetRequiredService<LedgerQueue>();

    public Advancer Advancer => _application.Services.GetRequiredService<Advancer>();

    public Uri Address { get; }

    public IKeyWrap KeyWrap => _application.Services.GetRequiredService<IKeyWrap>();

    public HttpClient Client { get; private set; } = null!;

    public KeyService Keys => _application.Services.GetRequiredService<KeyService>();

    public static async Task<ApiHost> StartAsync(
        Action<OmiumApiOptions>? configure = null, BillingOptions? billing = null, IPaymentGateway? payments = null, Omium.Api.Sessions.IMailer? mailer = null)
    {
        var directory = Path.Combine(Path.GetTempPath(), $"omium-api-{Guid.NewGuid():N}");
        var store = EmbeddedStore.Open(new EmbeddedStoreOptions(directory));
        var time = TimeProvider.System;
        var keys = new LocalKeyWrap(Seal.NewKey());
        var plans = new PlanCache(store.Documents);
        var advancer = new Advancer(store.Log, store.Payloads, plans, keys, time) { Search = new SearchTerms(store.Documents, keys) };
        var failures = new LoggedFailures();
        using var logs = LoggerFactory.Create(logging => logging.AddProvider(failures));
        var model = new PlayedModel();
        var tools = new PlayedTools();
        var shared = new SharedRunner(advancer, new ResourceAdvancer(store.Log, keys, time) { Storage = advancer.Storage }, new ScopeAliases(store.Documents));
        var ledger = new LedgerAdvancer(store.Log, keys, time) { Storage = advancer.Storage };
        var terms = billing ?? new BillingOptions();
        var queue = new LedgerQueue(ledger) { Opening = _ => terms.Opening };
        var credits = new ExecutionCredits(advancer, ledger, queue, NullLogger<ExecutionCredits>.Instance)
        {
            Prices = terms.MetersModel ? PriceTable.Current : null, DefaultModel = "gpt-4o",
        };
        credits.Attach();
        var runner = new EffectRunner(advancer, shared, model, tools, new SilentNotifier(), "test") { Credits = credits };
        var tasks = new Omium.Runtime.Workers.TaskBoard(time);
        var engine = new EmbeddedEngine(advancer, runner, store.Index, logs.CreateLogger<EmbeddedEngine>(), time, new EmbeddedEngineOptions()) { Tasks = tasks };
        await engine.StartAsync(CancellationToken.None);

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(failures);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<IEventLog>(store.Log).AddSingleton<IPayloadStore>(store.Payloads).AddSingleton<IDocumentStore>(store.Documents)
            .AddSingleton<IIndex>(store.Index).AddSingleton<IKeyWrap>(keys).AddSingleton(plans).AddSingleton(advancer).AddSingleton(shared.Resources)
            .AddSingleton<IExecutionEngine>(engine).AddSingleton(tasks).AddSingleton<IModelClient>(model)
            .AddSingleton(new Omium.Runtime.Effects.Tools.GuardedFetch(new Omium.Runtime.Effects.Tools.ToolNetworkOptions { AllowPrivateAddresses = true }));
        builder.Services.AddSingleton(terms).AddSingleton(ledger).AddSingleton(queue).AddSingleton(new CreditDesk(credits));
        if (payments is not null)
        {
            builder.Services.AddSingleton(payments);
        }

        if (mailer is not null)
        {
            builder.Services.AddSingleton(mailer);
        }

        builder.Services.AddOmiumApi(options =>
        {
            options.StreamLinger = TimeSpan.FromMilliseconds(50);
            options.PasswordIterations = 100_000;
            options.RatePerSecond = 0;
            configure?.Invoke(options);
        });
        var application = builder.Build();
        application.MapOmiumApi();
        await application.StartAsync();
        var host = new ApiHost(directory, store, engine, application, model, tools) { Failures = failures };
        host.Client = host.ClientOf((await host.Keys.CreateAsync("ten_a", "first", "local")).Secret!);
        return host;
    }

    /// <summary>What is mapped.</summary>
    public IReadOnlyList<Endpoint> Endpoints => _application.Services.GetRequiredService<EndpointDataSource>().Endpoints;

    /// <summary>A client whose every answer is held to the OpenAPI document.</summary>
    public HttpClient ClientOf(string key) =>
        new(new DocumentedAnswers()) { BaseAddress = Address, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) }, Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>What the API works with.</summary>
    public IServiceProvider Services => _application.Services;

    /// <summary>A client that says nothing of who it is.</summary>
    public HttpClient Anonymous() => new(new DocumentedAnswers()) { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(30) };

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _application.DisposeAsync();
        await _engine.DisposeAsync();
        await Store.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>Saves Company X and starts it, waiting until it stops by itself.</summary>
    public async Task<ExecutionView> RunCompanyXAsync()
    {
        await SaveCompanyXAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/executions") { Content = Json(CompanyXStart) };
        request.Headers.Add("Prefer", "wait=20");
        using var response = await Client.SendAsync(request);
        return await ReadAsync(response, ContractJson.Default.ExecutionView, 201);
    }

    public async Task SaveCompanyXAsync()
    {
        using var saved = await Client.PostAsync("/v1/workflows", Yaml(CompanyX));
        Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync());
    }

    public Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type) => GetAsync(Client, path, type);

    public static async Task<T> GetAsync<T>(HttpClient client, string path, JsonTypeInfo<T> type)
    {
        using var response = await client.GetAsync(path);
        return await ReadAsync(response, type, 200);
    }

    public async Task<T> PostAsync<T>(string path, string body, JsonTypeInfo<T> type, int status = 200)
    {
        using var response = await Client.PostAsync(path, Json(body));
        return await ReadAsync(response, type, status);
    }

    public async Task<T> PutAsync<T>(string path, string body, JsonTypeInfo<T> type, int status = 200)
    {
        using var response = await Client.PutAsync(path, Json(body));
        return await ReadAsync(response, type, status);
    }

    public async Task<Problem> FailAsync(HttpMethod method, string path, int status, HttpContent? content = null, HttpClient? client = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        using var response = await (client ?? Client).SendAsync(request);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        return await ReadAsync(response, ContractJson.Default.Problem, status);
    }

    public static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, int status)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"{(int)response.StatusCode}: {text}");
        return JsonSerializer.Deserialize(text, type)!;
    }

    public static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    public static StringContent Yaml(string text) => new(text, Encoding.UTF8, "text/yaml");

    public const string CompanyXStart =
        """{"workflow": "customer-onboarding", "input": {"customer_id": "c-42", "name": "Jane Smith", "email": "jane@example.com", "amount": 12000}}""";

    /// <summary>The example that the documentation shows, so that it cannot drift from what runs.</summary>
    public static string CompanyX { get; } = File.ReadAllText(Path.Combine(RepositoryRoot(), "examples", "company-x.yaml"));

    public static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Omium.slnf")))
        {
            directory = directory.Parent ?? throw new InvalidOperationException("the tests run outside the repository");
        }

        return directory.FullName;
    }
}
