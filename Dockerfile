FROM python:3.13-slim AS build
WORKDIR /app
COPY requirements.txt .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home clozatrack
WORKDIR /app
COPY --from=build /venv /venv
COPY manage.py ./
COPY clozatrack clozatrack
COPY patients patients
COPY monitoring monitoring
COPY notifications notifications
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
RUN python manage.py collectstatic --no-input
ENV CLOZATRACK_ENV=production
USER clozatrack
EXPOSE 8000
CMD ["gunicorn", "clozatrack.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "3", "--threads", "4", "--no-control-socket"]
