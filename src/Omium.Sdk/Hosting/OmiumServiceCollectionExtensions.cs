using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Omium.Hosting;

/// <summary>Omium in an application with a service collection.</summary>
public static class OmiumServiceCollectionExtensions
{
    /// <summary>
    /// Adds an <see cref="OmiumClient"/> and the <see cref="Compensations"/> it knows, one of each for the application. Without a key the client throws where it is first asked for.
    /// </summary>
    /// <param name="services">The application's.</param>
    /// <param name="configure">Sets options.</param>
    /// <param name="compensations">Registers what undoes transactions.</param>
    public static IServiceCollection AddOmium(
        this IServiceCollection services, Action<OmiumOptions>? configure = null, Action<IServiceProvider, Compensations>? compensations = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton(_ =>
        {
            var options = new OmiumOptions();
            configure?.Invoke(options);
            return options;
        });
        services.TryAddSingleton(provider =>
        {
            var known = new Compensations();
            compensations?.Invoke(provider, known);
            return known;
        });
        services.TryAddSingleton(provider => new OmiumClient(provider.GetRequiredService<OmiumOptions>(), provider.GetRequiredService<Compensations>()));
        return services;
    }

    /// <summary>
    /// Adds a worker that runs with the application: it polls from the start, and when the application stops it finishes the tasks under way
    /// (<c>HostOptions.ShutdownTimeout</c> bounds how long that may take; a task that is cut off is leased again or asked about, as after a crash).
    /// </summary>
    /// <param name="services">The application's.</param>
    /// <param name="configure">Gives the worker its tasks.</param>
    /// <param name="concurrency">Tasks at a time.</param>
    public static IServiceCollection AddOmiumWorker(this IServiceCollection services, Action<IServiceProvider, OmiumWorker> configure, int concurrency = 4)
    {
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOmium();
        return services.AddSingleton<IHostedService>(provider =>
        {
            var worker = new OmiumWorker(provider.GetRequiredService<OmiumClient>()) { Concurrency = concurrency };
            configure(provider, worker);
            return new WorkerService(worker);
        });
    }

    private sealed class WorkerService(OmiumWorker worker) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => worker.RunAsync(stoppingToken);
    }
}
